import { randomUUID } from 'node:crypto';
import { describe, expect } from 'vitest';
import { startedExperiment } from '../../../test/app.ts';
import { test } from '../../../test/fixtures.ts';

const HOUR = 3_600_000;
const at = (offsetMs: number): string => new Date(Date.now() + offsetMs).toISOString();
const event = (fields: Record<string, unknown> = {}) => ({
  event_id: randomUUID(),
  user_id: 'u1',
  type: 'purchase',
  timestamp: at(-HOUR),
  ...fields,
});

/** A UUIDv7 of a time, in milliseconds. */
function uuidV7(ms: number): string {
  const hex = ms.toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-${randomUUID().slice(-12)}`;
}

describe('events', () => {
  test('are stored once, however often and in whatever company they are sent', async ({
    api,
    database,
  }) => {
    const known = event({ value: 12.5, properties: { plan: 'pro', nested: { größe: 1 } } });
    const send = async (...events: object[]) =>
      (await api.call('POST', '/v1/events', { events })).json();
    expect(await send(known)).toMatchObject({ accepted: 1, duplicates: 0, rejected: 0 });
    const fresh = event();
    const again = await send(fresh, { ...known, value: 99 }, fresh);
    expect(again.results.map(({ status }: { status: string }) => status)).toEqual([
      'accepted',
      'duplicate',
      'duplicate',
    ]);
    // The same id at another time is another event.
    expect(await send({ ...known, timestamp: at(-2 * HOUR) })).toMatchObject({ accepted: 1 });
    const { rows } = await database.pool.query(
      'SELECT value, properties FROM events WHERE event_id = $1 ORDER BY ts DESC',
      [known.event_id],
    );
    expect(rows[0]).toEqual({ value: 12.5, properties: { plan: 'pro', nested: { größe: 1 } } });
    expect(rows).toHaveLength(2);
  });

  test('sent at once by many clients are one row and one accepted answer each', async ({
    api,
    database,
  }) => {
    const events = Array.from({ length: 200 }, () => event());
    const answers = await Promise.all(
      Array.from({ length: 8 }, async (_, client) => {
        const rotated = [...events.slice(client * 20), ...events.slice(0, client * 20)];
        return (await api.call('POST', '/v1/events', { events: rotated })).json();
      }),
    );
    const accepted = answers.reduce((sum, answer) => sum + answer.accepted, 0);
    expect(accepted).toBe(events.length);
    expect((await database.pool.query('SELECT FROM events')).rowCount).toBe(events.length);
  });

  test('take their time from a UUIDv7, to the microsecond from a timestamp', async ({
    api,
    database,
  }) => {
    const ms = Date.now() - HOUR;
    const { timestamp: _, ...bare } = event();
    const answer = await api.call('POST', '/v1/events', {
      events: [
        { ...bare, event_id: uuidV7(ms) },
        event({ event_id: uuidV7(ms), timestamp: `${at(-HOUR).slice(0, 19)}.1234567+00:00` }),
        { ...bare, event_id: randomUUID() },
      ],
    });
    expect(answer.json()).toMatchObject({
      accepted: 2,
      results: [{}, {}, { code: 'timestamp_required', errors: [{ path: 'timestamp' }] }],
    });
    const { rows } = await database.pool.query(
      'SELECT (extract(epoch FROM ts) * 1000000)::int8 AS micros FROM events ORDER BY received_at, ts',
    );
    const micros = rows.map((row: { micros: number }) => row.micros);
    expect(micros).toContain(ms * 1000);
    expect(micros.some((value: number) => value % 1_000_000 === 123_456)).toBe(true);
  });

  test('that are bad name their fields, are kept aside, and spoil nothing', async ({
    api,
    database,
  }) => {
    const scoped = await startedExperiment(api, 'scoped');
    const bad: [object, string, string][] = [
      [event({ event_id: 'x' }), 'invalid_item', 'event_id'],
      [event({ user_id: '' }), 'invalid_item', 'user_id'],
      [event({ user_id: 'x'.repeat(257) }), 'invalid_item', 'user_id'],
      [event({ user_id: 'x'.repeat(10_000) }), 'invalid_item', 'user_id'],
      [event({ user_id: 'a\0b' }), 'invalid_item', 'user_id'],
      [event({ type: '\ud800' }), 'invalid_item', 'type'],
      [event({ type: 7 }), 'invalid_item', 'type'],
      [event({ valeu: 1 }), 'invalid_item', 'valeu'],
      [event({ value: '1' }), 'invalid_item', 'value'],
      [event({ properties: { note: 'a\0b' } }), 'invalid_item', 'properties'],
      [event({ properties: { big: 'x'.repeat(20_000) } }), 'invalid_item', 'properties'],
      [event({ timestamp: 'yesterday' }), 'invalid_item', 'timestamp'],
      [event({ timestamp: at(-10 * 365 * 24 * HOUR) }), 'timestamp_out_of_window', 'timestamp'],
      [event({ timestamp: at(25 * HOUR) }), 'timestamp_out_of_window', 'timestamp'],
      [event({ experiment: 'nope' }), 'unknown_experiment', 'experiment'],
      [event({ experiment: 987_654 }), 'unknown_experiment', 'experiment'],
    ];
    const events = [event(), ...bad.map(([item]) => item), event({ experiment: scoped })];
    const answer = (await api.call('POST', '/v1/events', { events })).json();
    expect(answer).toMatchObject({ accepted: 2, rejected: bad.length });
    bad.forEach(([, code, path], index) => {
      expect(answer.results[index + 1]).toMatchObject({ code, errors: [{ path }] });
    });
    const again = (await api.call('POST', '/v1/events', { events })).json();
    expect(again).toMatchObject({ accepted: 0, duplicates: 2, rejected: bad.length });
    const { rows } = await database.pool.query('SELECT code, experiment FROM quarantine');
    expect(rows).toHaveLength(bad.length);
    expect(rows).toContainEqual({ code: 'unknown_experiment', experiment: 'nope' });
    expect(rows).toContainEqual({ code: 'unknown_experiment', experiment: '987654' });
  });

  test('with a number beyond what a number can be reject alone', async ({ api }) => {
    const { timestamp, ...rest } = event();
    const json = (value: string) =>
      `{"events":[${JSON.stringify({ ...rest, timestamp }).slice(0, -1)},"value":${value}},${JSON.stringify(event())}]}`;
    const headers = { 'content-type': 'application/json' };
    const huge = await api.call('POST', '/v1/events', json('1e400'), { headers });
    expect(huge.json()).toMatchObject({
      accepted: 1,
      results: [{ code: 'invalid_item', errors: [{ path: 'value' }] }, { status: 'accepted' }],
    });
    const nan = await api.call('POST', '/v1/events', json('NaN'), { headers });
    expect([nan.statusCode, nan.json().code]).toEqual([400, 'malformed_request']);
  });

  test('come as lines too, and a bad line is one bad item', async ({ api }) => {
    const lines = [JSON.stringify(event()), '{"event_id":', '', JSON.stringify(event())].join('\n');
    const headers = { 'content-type': 'application/x-ndjson' };
    const answer = await api.call('POST', '/v1/events', lines, { headers });
    expect(answer.json()).toMatchObject({ accepted: 2, rejected: 1 });
  });
});
