import { pino } from 'pino';
import { describe, expect } from 'vitest';
import { queryClickHouse } from '../../test/cdc.ts';
import { test } from '../../test/fixtures.ts';
import { readConfig } from '../config.ts';
import { maintain } from './maintenance.ts';
import { ensurePartitions } from './partitions.ts';

describe('retention in both stores', () => {
  test('drops a month when CDC has passed it, and what came to ClickHouse late', async ({
    database,
    clickhouse,
  }) => {
    const { pool } = database;
    const { client } = clickhouse;
    const april = Date.UTC(2026, 3, 1);
    const day = 86_400_000;
    const deps = {
      db: pool,
      clickhouse: client,
      config: readConfig({ DATABASE_URL: database.url }),
      log: pino({ level: 'silent' }),
      now: () => april + day,
    };
    await ensurePartitions(pool, april - day, 13);
    const insert = (month: string) =>
      client.command({
        query: `INSERT INTO events (event_id, type, user_id, ts, properties, _version)
                VALUES (generateUUIDv4(), 'buy', 'u', '${month}-15 00:00:00', '{}', 1)`,
      });
    for (const month of ['2025-02', '2025-03', '2026-03']) await insert(month);
    const setWatermark = (at: number) =>
      client.command({
        query: `INSERT INTO cdc_watermark VALUES ('pgoutput', fromUnixTimestamp64Milli(${at}), '0/1')`,
      });
    const remaining = async () => ({
      postgres: (
        await pool.query<{ name: string }>(
          `SELECT min(inhrelid::regclass::text) AS name FROM pg_inherits WHERE inhparent = 'events'::regclass`,
        )
      ).rows[0]?.name,
      clickhouse: (
        await queryClickHouse<{ month: number }>(
          client,
          'SELECT DISTINCT toYYYYMM(ts) AS month FROM events ORDER BY month',
        )
      ).map(({ month }) => month),
    });
    // CDC is in the month that just expired, or only a moment past its end.
    for (const at of [april - day, april + 60_000]) {
      await setWatermark(at);
      await maintain(deps);
      expect(await remaining()).toEqual({
        postgres: 'events_2025_02',
        clickhouse: [202502, 202503, 202603],
      });
    }
    await setWatermark(april + day / 2);
    await maintain(deps);
    const whole = { postgres: 'events_2025_03', clickhouse: [202503, 202603] };
    expect(await remaining()).toEqual(whole);
    await insert('2025-01');
    await maintain(deps);
    expect(await remaining()).toEqual(whole);
  });
});
