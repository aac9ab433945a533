import { pino } from 'pino';
import { describe, expect } from 'vitest';
import { type TestDatabase, test } from '../../test/fixtures.ts';
import { createSlot, findSlot, slotName } from '../cdc/slot.ts';
import { readConfig } from '../config.ts';
import { acceptedWindow, retentionFloor } from '../retention.ts';
import { maintain } from './maintenance.ts';
import { dropExpiredPartitions, ensurePartitions, neededMonths } from './partitions.ts';

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
    const later = Date.UTC(2026, 3, 1, 0, 59);
    await insertAt(database, retentionFloor(NOW, 13));
    const deps = {
      db: database.pool,
      clickhouse: undefined,
      config: readConfig({ DATABASE_URL: database.url }),
      log: pino({ level: 'silent' }),
      now: () => later,
    };
    // For an hour somebody may still write to the month that just ended.
    await maintain(deps);
    expect((await partitionsOf(database))[0]).toBe('events_2024_12');
    await maintain({ ...deps, now: () => later + 60_000 });
    await writes;
    const names = await partitionsOf(database);
    expect([names[0], names.at(-1)]).toEqual(['events_2025_03', 'events_2026_07']);
    const { rowCount } = await database.pool.query('SELECT FROM events');
    expect(rowCount).toBe(50);
  });

  test('makes them once when many processes start together, and waits out a lock', async ({
    database,
  }) => {
    const blocker = await database.pool.connect();
    await blocker.query('BEGIN; LOCK TABLE events IN ACCESS EXCLUSIVE MODE');
    const made = Promise.all(
      Array.from({ length: 4 }, () => ensurePartitions(database.pool, NOW, 13)),
    );
    setTimeout(() => void blocker.query('COMMIT').then(() => blocker.release()), 1_500);
    expect((await made).map(({ length }) => length).sort((a, b) => a - b)).toEqual([0, 0, 0, 17]);
  });

  test('ends what an earlier round began, and keeps what an operator put aside', async ({
    database,
  }) => {
    const { pool } = database;
    await ensurePartitions(pool, NOW, 13);
    // Detached and not dropped; interrupted while it was detached; put aside by hand.
    await pool.query(
      "COMMENT ON TABLE events_2024_12 IS 'assay: expired'; ALTER TABLE events DETACH PARTITION events_2024_12",
    );
    const reader = await pool.connect();
    await reader.query('BEGIN; SELECT count(*) FROM events');
    await expect(
      pool.query('ALTER TABLE events DETACH PARTITION events_2025_01 CONCURRENTLY'),
    ).rejects.toMatchObject({ code: expect.stringMatching('55P03|57014') });
    await reader.query('COMMIT');
    reader.release();
    await pool.query('ALTER TABLE events DETACH PARTITION events_2025_02');
    const dropped = await dropExpiredPartitions(pool, Date.UTC(2026, 3, 2), 13);
    expect(dropped).toEqual(['events_2024_12', 'events_2025_01']);
    const { rowCount } = await pool.query('SELECT FROM events_2025_02');
    expect(rowCount).toBe(0);
    // A longer retention takes it back.
    expect(await ensurePartitions(pool, NOW, 13)).toEqual([
      'events_2024_12',
      'events_2025_01',
      'events_2025_02',
    ]);
  });

  test('drops the slot when there is no ClickHouse, and old refusals', async ({ database }) => {
    const { pool, url } = database;
    const slot = await slotName(pool);
    await createSlot(pool, slot);
    await pool.query(
      `INSERT INTO quarantine (received_at, kind, code, message, payload, fingerprint)
       SELECT now() - i * interval '1 day', 'event', 'c', 'm', '{}', i::text::bytea
       FROM generate_series(1, 12000) i`,
    );
    await maintain({
      db: pool,
      clickhouse: undefined,
      config: readConfig({ DATABASE_URL: url }),
      log: pino({ level: 'silent' }),
      now: Date.now,
    });
    expect(await findSlot(pool, slot)).toBeUndefined();
    const { rowCount } = await pool.query('SELECT FROM quarantine');
    expect(rowCount).toBe(89);
  });
});
