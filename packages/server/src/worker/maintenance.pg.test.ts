import { pino } from 'pino';
import { describe, expect } from 'vitest';
import { type TestDatabase, test } from '../../test/fixtures.ts';
import { readConfig } from '../config.ts';
import { maintain } from './maintenance.ts';
import { ensurePartitions, neededMonths } from './partitions.ts';
import { acceptedWindow, retentionFloor } from './retention.ts';

const NOW = Date.UTC(2026, 0, 31, 23, 59, 59, 999);

const partitionsOf = async ({ pool }: TestDatabase): Promise<readonly string[]> =>
  (
    await pool.query<{ name: string }>(
      `SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = 'events'::regclass ORDER BY 1`,
    )
  ).rows.map(({ name }) => name);

const insertAt = ({ pool }: TestDatabase, micros: number) =>
  pool.query(
    `INSERT INTO events (event_id, ts, user_id, type)
     VALUES (gen_random_uuid(), 'epoch'::timestamptz + $1 * interval '1 microsecond', 'u', 't')`,
    [micros],
  );

describe('maintenance', () => {
  test('covers exactly the accepted times, and three months ahead', async ({ database }) => {
    await ensurePartitions(database.pool, NOW, 13);
    const names = await partitionsOf(database);
    expect([names[0], names.at(-1), names.length]).toEqual([
      'events_2024_12',
      'events_2026_04',
      17,
    ]);
    const { from, to } = acceptedWindow(NOW, 13);
    await insertAt(database, from);
    await insertAt(database, to);
    await expect(insertAt(database, from - 1)).rejects.toMatchObject({ code: '23514' });
    expect(await ensurePartitions(database.pool, NOW, 13)).toEqual([]);
    expect(neededMonths(NOW, 1).map(({ table }) => table)).toEqual([
      'events_2025_12',
      'events_2026_01',
      'events_2026_02',
      'events_2026_03',
      'events_2026_04',
    ]);
  });

  test('makes a month ahead while events are written, and drops the ones whose time is over', async ({
    database,
  }) => {
    await ensurePartitions(database.pool, NOW, 13);
    const writes = Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        insertAt(database, (NOW - index * 3_600_000) * 1_000),
      ),
    );
    const later = Date.UTC(2026, 3, 1);
    await insertAt(database, retentionFloor(NOW, 13));
    const deps = {
      db: database.pool,
      clickhouse: undefined,
      config: readConfig({ DATABASE_URL: database.url }),
      log: pino({ level: 'silent' }),
      now: () => later,
    };
    await maintain(deps);
    await writes;
    const names = await partitionsOf(database);
    expect([names[0], names.at(-1)]).toEqual(['events_2025_03', 'events_2026_07']);
    const { rowCount } = await database.pool.query('SELECT FROM events');
    expect(rowCount).toBe(50);
  });
});
