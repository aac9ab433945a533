import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { describe, expect } from 'vitest';
import { type TestClickHouse, type TestDatabase, test } from '../../test/fixtures.ts';
import { proxyTo } from '../../test/proxy.ts';
import { readWatermark } from '../analytics/watermark.ts';
import { readConfig } from '../config.ts';
import { type ClickHouse, connectClickHouse } from '../platform/clickhouse.ts';
import { createMetrics } from '../platform/metrics.ts';
import { ensurePartitions } from '../worker/partitions.ts';
import { type Cdc, startCdc } from './cdc.ts';

function start({ url }: TestDatabase, clickhouse: ClickHouse): Cdc {
  return startCdc({
    config: readConfig({ DATABASE_URL: url }),
    clickhouse,
    log: pino({ level: 'silent' }),
    metrics: createMetrics(),
    now: Date.now,
  });
}

async function insertEvents({ pool }: TestDatabase, count: number, value = '1.5'): Promise<void> {
  await ensurePartitions(pool, Date.now(), 13);
  await pool.query(
    `INSERT INTO events (event_id, ts, user_id, type, value, properties)
     SELECT gen_random_uuid(), now() - (i % 200) * interval '1 day', 'user-ü-' || i % 50, 'buy', $2::float8 * i,
            jsonb_build_object('i', i, 'text', E'tab\\t"quote" \\\\ 😀')
     FROM generate_series(1, $1::int) i`,
    [count, value],
  );
}

/** Everything of both stores in one order and one spelling. */
async function contents({ pool }: TestDatabase, { client }: TestClickHouse) {
  const postgres = await pool.query(
    `SELECT event_id::text, (extract(epoch FROM ts) * 1000000)::int8 AS ts, user_id, type, value, properties::text AS properties
     FROM events ORDER BY event_id`,
  );
  const clickhouse = await client.query({
    query: `SELECT toString(event_id) AS event_id, toUnixTimestamp64Micro(ts) AS ts, user_id, type, value, properties
            FROM events FINAL ORDER BY toString(event_id)`,
    format: 'JSONEachRow',
  });
  return { postgres: postgres.rows, clickhouse: await clickhouse.json() };
}

async function expectEqualStores(
  database: TestDatabase,
  clickhouse: TestClickHouse,
  rows: number,
): Promise<void> {
  const count = async () => {
    const result = await clickhouse.client.query({
      query: 'SELECT toUInt32(count()) AS n FROM events FINAL',
      format: 'JSONEachRow',
    });
    return (await result.json<{ n: number }>())[0]?.n;
  };
  await expect.poll(count, { timeout: 20_000, interval: 100 }).toBe(rows);
  const { postgres, clickhouse: click } = await contents(database, clickhouse);
  expect(click).toEqual(postgres);
}

describe('change data capture', () => {
  test('copies what was there, streams what comes, and is the same however often', async ({
    database,
    clickhouse,
  }) => {
    await insertEvents(database, 300);
    let cdc = start(database, clickhouse.client);
    await expectEqualStores(database, clickhouse, 300);
    await insertEvents(database, 700);
    await expectEqualStores(database, clickhouse, 1_000);
    await cdc.stop();
    // All of it once more, as after a lost slot.
    await database.pool.query('UPDATE cdc_backfills SET completed_at = NULL');
    await insertEvents(database, 50);
    cdc = start(database, clickhouse.client);
    await expectEqualStores(database, clickhouse, 1_050);
    await expect.poll(() => cdc.status().state).toBe('streaming');
    expect(await readWatermark(clickhouse.client)).toBeGreaterThan(Date.now() * 1_000 - 60_000_000);
    await cdc.stop();
  });

  test('loses nothing while ClickHouse is away', async ({ database, clickhouse }) => {
    const proxy = await proxyTo(clickhouse.url);
    const client = connectClickHouse(proxy.url);
    const cdc = start(database, client);
    await insertEvents(database, 100);
    await expectEqualStores(database, clickhouse, 100);
    proxy.shut();
    await insertEvents(database, 500);
    await expect.poll(() => cdc.status().state, { timeout: 10_000 }).toBe('retrying');
    proxy.open();
    await expectEqualStores(database, clickhouse, 600);
    await cdc.stop();
    await client.close();
    proxy.close();
  });

  test('sets a row aside that ClickHouse cannot take, and goes on', async ({
    database,
    clickhouse,
  }) => {
    const cdc = start(database, clickhouse.client);
    await insertEvents(database, 20);
    await ensurePartitions(database.pool, Date.now(), 13);
    const poison = randomUUID();
    await database.pool.query(
      `INSERT INTO events (event_id, ts, user_id, type, value) VALUES ($1, now(), 'u', 'buy', 'NaN')`,
      [poison],
    );
    await insertEvents(database, 30);
    const letters = () =>
      database.pool.query('SELECT table_name, row, error FROM cdc_dead_letters');
    await expect.poll(async () => (await letters()).rowCount, { timeout: 20_000 }).toBe(1);
    expect((await letters()).rows[0]).toMatchObject({
      table_name: 'events',
      row: { event_id: poison },
      error: expect.stringContaining('NaN'),
    });
    await database.pool.query('DELETE FROM events WHERE event_id = $1', [poison]);
    await expectEqualStores(database, clickhouse, 50);
    await cdc.stop();
  });

  test('is led by one worker, and taken over when that one is gone', async ({
    database,
    clickhouse,
  }) => {
    const first = start(database, clickhouse.client);
    await expect.poll(() => first.status().state, { timeout: 10_000 }).toBe('streaming');
    const second = start(database, clickhouse.client);
    await expect.poll(() => second.status().state).toBe('waiting');
    await first.stop();
    await insertEvents(database, 10);
    await expectEqualStores(database, clickhouse, 10);
    expect(second.status().state).toBe('streaming');
    await second.stop();
  });

  test('lets a restored database win over what it sent before', async ({
    database,
    clickhouse,
  }) => {
    const row = {
      experiment_id: 1,
      user_id: 'u',
      variant_id: 1,
      version: 1,
      source: 'hash',
      bucket: 0,
      context: '{}',
    };
    // Left by an earlier life of the database, with a larger LSN than any of now.
    await clickhouse.client.insert({
      table: 'cdc_epochs',
      values: [{ system_identifier: 'earlier', timeline: 1, epoch: 1 }],
      format: 'JSONEachRow',
    });
    await clickhouse.client.insert({
      table: 'assignments',
      values: [
        { ...row, assigned_at: '2026-01-01 00:00:00', _version: (2 ** 48 + 2 ** 47).toString() },
      ],
      format: 'JSONEachRow',
    });
    const cdc = start(database, clickhouse.client);
    await database.pool.query(
      `INSERT INTO assignments VALUES (1, 'u', 2, 1, 'reported', 0, '2026-02-01', '{}')`,
    );
    const variant = async () => {
      const result = await clickhouse.client.query({
        query: 'SELECT variant_id, toString(assigned_at) AS at FROM assignments FINAL',
        format: 'JSONEachRow',
      });
      return result.json();
    };
    await expect
      .poll(variant, { timeout: 20_000 })
      .toEqual([{ variant_id: 2, at: '2026-02-01 00:00:00.000000' }]);
    await database.pool.query("UPDATE assignments SET assigned_at = '2026-01-15'");
    await expect
      .poll(variant, { timeout: 20_000 })
      .toEqual([{ variant_id: 2, at: '2026-01-15 00:00:00.000000' }]);
    await cdc.stop();
  });
});
