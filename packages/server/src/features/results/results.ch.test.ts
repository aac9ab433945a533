import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { formatInstant } from '@assay/core';
import { describe, expect } from 'vitest';
import { startTestApp } from '../../../test/app.ts';
import { type TestClickHouse, test } from '../../../test/fixtures.ts';
import { insertClickHouse, insertPostgres, makeExperiment } from '../../../test/results/worlds.ts';
import { connectClickHouse } from '../../platform/clickhouse.ts';
import { askSource } from './choose-source.ts';

const DAY = 86_400_000;
const dayOf = (ms: number): number => Math.floor(ms / DAY) * DAY;

describe('results', () => {
  test('choose the source by how far ClickHouse has come', async ({ database, clickhouse }) => {
    const api = await startTestApp(database, clickhouse);
    await makeExperiment(database, 'first');
    await api.deps.snapshot.refresh();
    const sourceOf = async (parameters: string) =>
      (await api.call('GET', `/v1/experiments/first/results?${parameters}`)).json().metadata;
    expect(await sourceOf('source=auto')).toMatchObject({
      source: 'postgresql',
      source_note: 'ClickHouse is behind',
    });
    const mark = (at: number) => insertWatermark(clickhouse, at);
    await mark(Date.now() - 3_600_000);
    const old = new Date(Date.now() - 7_200_000).toISOString();
    expect((await sourceOf('source=auto')).source).toBe('postgresql');
    expect((await sourceOf(`source=auto&end_date=${old}`)).source).toBe('clickhouse');
    await mark(Date.now());
    expect((await sourceOf('source=auto')).source).toBe('clickhouse');
    expect((await sourceOf('granularity=realtime')).source).toBe('postgresql');
    await api.stop();
  });

  test('come from PostgreSQL when ClickHouse fails half-way, unless it was asked for', async ({
    database,
    clickhouse,
  }) => {
    const door = await failingDoor(clickhouse.url, /FROM assignments/);
    const client = connectClickHouse(door.url);
    const api = await startTestApp(database, { url: door.url, client });
    await makeExperiment(database, 'first');
    await api.deps.snapshot.refresh();
    await insertWatermark(clickhouse, Date.now());
    const ask = (source: string) =>
      api.call('GET', `/v1/experiments/first/results?source=${source}`);
    const automatic = await ask('auto');
    expect(automatic.json().metadata).toMatchObject({
      source: 'postgresql',
      source_note: 'ClickHouse does not answer',
    });
    const explicit = await ask('clickhouse');
    expect(explicit.statusCode).toBe(503);
    expect(explicit.json()).toMatchObject({ code: 'unavailable' });
    expect(explicit.headers['retry-after']).toBeDefined();
    expect(door.failures()).toBeGreaterThanOrEqual(2);
    await api.stop();
    await client.close();
    door.close();
  });

  test('take no silence for a zero that has not arrived in ClickHouse', async ({
    database,
    clickhouse,
  }) => {
    const api = await startTestApp(database, clickhouse);
    const experiment = await makeExperiment(database, 'late');
    await api.deps.snapshot.refresh();
    const now = Date.now();
    const joined = now - 9.5 * DAY;
    const users = [0, 1, 2].map((variant) => {
      return { experiment, userId: `u${variant}`, variant, assignedAt: joined * 1_000 };
    });
    const buy = {
      eventId: '00000000-0000-4000-8000-000000000001',
      type: 'buy',
      userId: 'u0',
      ts: (joined + DAY) * 1_000,
      value: 1,
    };
    await insertPostgres(database, users, [buy]);
    await insertClickHouse(database, clickhouse, users, [buy], { _version: 1 });

    const series = ['cumulative', 'daily', 'days_since_assignment'];
    const parameters = (source: string) => ({ source, event_type: 'buy', metrics, series });
    const metrics = ['conversion_rate'];
    const url = '/v1/experiments/late/snapshots';
    /** The days of each series, and the ages; of a result that its bundle and the store give again. */
    const seriesFrom = async (source: string) => {
      const taken = await api.call('POST', url, { name: source, ...parameters(source) });
      expect(taken.statusCode, taken.body).toBe(201);
      const { id } = taken.json();
      for (const from of ['bundle', 'store']) {
        const again = await api.call('GET', `${url}/${id}/reproduce?from=${from}`);
        expect(again.json(), from).toMatchObject({ equal: true, differences: [] });
      }
      const { result, bundle } = (await api.call('GET', `${url}/${id}?include=bundle`)).json();
      const [control] = result.variants;
      const own = control.metrics.conversion_rate.series;
      const days = [own.cumulative, own.daily, control.time_series].map(
        (points: { time: string }[]) => points.map(({ time }) => Date.parse(time)),
      );
      const ages = own.days_since_assignment?.map(({ day }: { day: number }) => day) ?? [];
      return { days, ages, seriesEnd: Date.parse(bundle.question.seriesEnd) };
    };
    const daysTo = (end: number) =>
      Array.from({ length: dayOf(end) / DAY - dayOf(joined) / DAY + 1 }, (_, day) => {
        return dayOf(joined) + day * DAY;
      });
    const upTo = (end: number) => {
      const days = daysTo(end);
      const ages = Array.from({ length: Math.floor((end - joined) / DAY) }, (_, age) => age);
      return { days: [days, days, days], ages };
    };

    // Nothing is known to have arrived: there is what there is, and no more.
    const [first, second] = [dayOf(joined), dayOf(joined + DAY)];
    expect(await seriesFrom('clickhouse')).toEqual({
      days: [[first, second], [first, second], [second]],
      ages: [],
      seriesEnd: 0,
    });
    const watermark = now - 4 * DAY;
    await insertWatermark(clickhouse, watermark);
    expect(await seriesFrom('clickhouse')).toEqual({ ...upTo(watermark), seriesEnd: watermark });
    expect(await seriesFrom('auto')).toMatchObject(upTo(now));
    // Up to date is a little before now.
    await insertWatermark(clickhouse, now - 1);
    expect(await seriesFrom('clickhouse')).toMatchObject(upTo(now));
    expect(await seriesFrom('postgresql')).toMatchObject(upTo(now));
    await api.stop();
  });

  test('do not take a mistake of our own for a store that is away', async ({
    database,
    clickhouse,
  }) => {
    const api = await startTestApp(database, clickhouse);
    await insertWatermark(clickhouse, Date.now());
    const mistake = new TypeError('of our own');
    const stores = {
      postgres: async () => ({ answer: 'PostgreSQL', statements: [], asOf: '' }),
      clickhouse: () => Promise.reject(mistake),
    };
    const question = { end: formatInstant(Date.now() * 1_000) };
    for (const source of ['auto', 'clickhouse'] as const) {
      const asked = askSource(api.deps, stores, question, { source, granularity: 'day' });
      await expect(asked).rejects.toBe(mistake);
    }
    const unreadable = askSource(
      api.deps,
      stores,
      { end: 'soon' },
      {
        source: 'auto',
        granularity: 'day',
      },
    );
    await expect(unreadable).rejects.toThrow('invariant broken');
    await api.stop();
  });
});

/** Says that ClickHouse has everything up to a time. @param at milliseconds since the epoch */
const insertWatermark = ({ client }: TestClickHouse, at: number) =>
  client.insert({
    table: 'cdc_watermark',
    values: [{ source: 'pgoutput', committed_at: formatInstant(at * 1_000), position: '0/0' }],
    format: 'JSONEachRow',
  });

/** A way to ClickHouse on which statements that match are cut off when they have arrived. */
async function failingDoor(url: string, statement: RegExp) {
  const target = new URL(url);
  let failures = 0;
  const server = createServer(async (incoming, outgoing) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    if (statement.test(body.toString()) || statement.test(decodeURIComponent(incoming.url ?? ''))) {
      failures++;
      incoming.socket.destroy();
      return;
    }
    const { hostname, port } = target;
    const { method, headers, url: path } = incoming;
    const upstream = request({ hostname, port, method, headers, path }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    upstream.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const door = new URL(url);
  door.port = String((server.address() as AddressInfo).port);
  return { url: door.href, failures: () => failures, close: () => server.close() };
}
