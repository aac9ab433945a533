import { pino } from 'pino';
import { expect } from 'vitest';
import { readWatermark } from '../src/analytics/watermark.ts';
import { type Cdc, startCdc } from '../src/cdc/cdc.ts';
import { parseLsn } from '../src/cdc/lsn.ts';
import { slotName } from '../src/cdc/slot.ts';
import { readConfig } from '../src/config.ts';
import type { ClickHouse } from '../src/platform/clickhouse.ts';
import { createMetrics, type Metrics } from '../src/platform/metrics.ts';
import { ensurePartitions } from '../src/worker/partitions.ts';
import type { TestClickHouse, TestDatabase } from './fixtures.ts';

/** Change data capture as a worker runs it. */
export function startTestCdc(
  { url }: Pick<TestDatabase, 'url'>,
  clickhouse: ClickHouse,
  metrics: Metrics = createMetrics(),
): Cdc {
  return startCdc({
    config: readConfig({ DATABASE_URL: url }),
    clickhouse,
    log: pino({ level: 'silent' }),
    metrics,
    now: Date.now,
  });
}

/** What a {@link Cdc} is doing, to be polled. */
export const stateOf = (cdc: Cdc) => () => cdc.status().state;

/** How far the reader of the database's slot has confirmed. */
export async function confirmedLsn({ pool }: TestDatabase): Promise<bigint> {
  const { rows } = await pool.query<{ lsn: string }>(
    'SELECT confirmed_flush_lsn::text AS lsn FROM pg_replication_slots WHERE slot_name = $1',
    [await slotName(pool)],
  );
  return parseLsn(rows[0]?.lsn ?? '0/0');
}

/** Events of fifty users over the last 200 days, with doubles and texts of every sort. */
export async function insertEvents({ pool }: TestDatabase, count: number): Promise<void> {
  await ensurePartitions(pool, Date.now(), 13);
  await pool.query(
    `INSERT INTO events (event_id, ts, user_id, type, value, properties, experiment_id)
     SELECT gen_random_uuid(), now() - (i % 200) * interval '1 day', 'user-ü-' || i % 50,
            (ARRAY['buy', 'view'])[1 + i % 2],
            CASE i % 3 WHEN 0 THEN NULL WHEN 1 THEN random() * power(10::float8, random() * 600 - 300)
                       ELSE random() * 1000 END,
            jsonb_build_object('i', 12345678901234567890, 'text', E'tab\\t"quote" \\\\ 😀'),
            CASE i % 5 WHEN 0 THEN i END
     FROM generate_series(1, $1::int) i`,
    [count],
  );
}

/** New users, and for some of the old ones an earlier time. */
export async function insertAssignments({ pool }: TestDatabase, count: number): Promise<void> {
  await pool.query(
    `UPDATE assignments SET assigned_at = assigned_at - interval '1.000001 hour'
     WHERE hashtext(user_id) % 3 = 0`,
  );
  await pool.query(
    `INSERT INTO assignments
     SELECT 1 + i % 3, gen_random_uuid()::text, i, 1, 'hash', i % 10000, now(), '{"country": "DE"}'
     FROM generate_series(1, $1::int) i`,
    [count],
  );
}

const POSTGRES_CONTENTS = {
  events: `SELECT event_id::text, (extract(epoch FROM ts) * 1000000)::int8 AS at, user_id, type,
                  value, properties::text AS properties, experiment_id
           FROM events ORDER BY event_id`,
  assignments: `SELECT experiment_id, user_id, variant_id, version, source, bucket,
                       (extract(epoch FROM assigned_at) * 1000000)::int8 AS at, context::text AS context
                FROM assignments ORDER BY user_id COLLATE "C", experiment_id`,
};
const CLICKHOUSE_CONTENTS = {
  events: `SELECT toString(event_id) AS event_id, toUnixTimestamp64Micro(ts) AS at, user_id, type,
                  value, properties, experiment_id
           FROM events FINAL ORDER BY toString(event_id)`,
  assignments: `SELECT experiment_id, user_id, variant_id, version, source, bucket,
                       toUnixTimestamp64Micro(assigned_at) AS at, context
                FROM assignments FINAL ORDER BY user_id, experiment_id`,
};

export async function queryClickHouse<Row>(client: ClickHouse, query: string): Promise<Row[]> {
  const result = await client.query({ query, format: 'JSONEachRow' });
  return result.json<Row>();
}

async function countOf(client: ClickHouse, from: string): Promise<number> {
  const [row] = await queryClickHouse<{ n: number }>(
    client,
    `SELECT toUInt32(count()) AS n FROM ${from}`,
  );
  return row?.n ?? 0;
}

/** Waits until ClickHouse has caught up, and compares every column of every row. */
export async function expectEqualStores(
  { pool }: TestDatabase,
  { client }: TestClickHouse,
  counts: { readonly events?: number; readonly assignments?: number },
): Promise<void> {
  const { rows } = await pool.query<{ now: string }>(
    'SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::int8 AS now',
  );
  const now = Number(rows[0]?.now);
  // The promise of the watermark: what was committed before it is there, in every table.
  const isCovered = async () => {
    await pool.query(
      'INSERT INTO cdc_heartbeat VALUES (2, now()) ON CONFLICT (id) DO UPDATE SET at = now()',
    );
    return ((await readWatermark(client)) ?? 0) > now;
  };
  await expect.poll(isCovered, { timeout: 30_000, interval: 50 }).toBe(true);
  for (const table of ['events', 'assignments'] as const) {
    const postgres = await pool.query(POSTGRES_CONTENTS[table]);
    expect(await queryClickHouse(client, CLICKHOUSE_CONTENTS[table])).toEqual(postgres.rows);
    const expected = counts[table];
    if (expected === undefined) continue;
    expect(postgres.rowCount).toBe(expected);
    // Rows that are really there, before FINAL joins the copies.
    expect(await countOf(client, table)).toBeGreaterThanOrEqual(expected);
  }
}
