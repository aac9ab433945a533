import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { formatInstant } from '@assay/core';
import { describe, expect } from 'vitest';
import { startTestApp } from '../../../test/app.ts';
import { type TestClickHouse, test } from '../../../test/fixtures.ts';
import { makeExperiment } from '../../../test/results/worlds.ts';
import { connectClickHouse } from '../../platform/clickhouse.ts';
import { askSource } from './choose-source.ts';

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
