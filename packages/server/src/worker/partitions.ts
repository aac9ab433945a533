import { backoffMs } from '../platform/backoff.ts';
import type { Db, Pool } from '../platform/postgres.ts';
import { inTransaction } from '../platform/postgres.ts';
import { retentionFloor } from './retention.ts';

const MONTHS_AHEAD = 3;
const MAKE_LOCK = 4_170_002;
const DROP_LOCK = 4_170_004;
const MAKE_ATTEMPTS = 12;
/** Marks a month that was detached to be dropped, and not by an operator to be kept elsewhere. */
const EXPIRED = 'assay: expired';
/** Detaching waits for everyone who still reads the table. */
const DROP_TIMEOUT_MS = 120_000;
const DROP_LOCK_TIMEOUT_MS = 60_000;

/** A month of `events` as its table: the name, and its bounds as RFC 3339 dates. */
interface Month {
  readonly table: string;
  readonly from: string;
  readonly to: string;
}

function monthAt(year: number, month: number): Month {
  const day = (date: Date): string => date.toISOString().slice(0, 10);
  const from = day(new Date(Date.UTC(year, month, 1)));
  const to = day(new Date(Date.UTC(year, month + 1, 1)));
  return { table: `events_${from.slice(0, 7).replace('-', '_')}`, from, to };
}

/** Every month that must have a partition now: the window of accepted times, and three ahead. */
export function neededMonths(nowMs: number, retentionMonths: number): readonly Month[] {
  const floor = new Date(retentionFloor(nowMs, retentionMonths) / 1000);
  return Array.from({ length: retentionMonths + 1 + MONTHS_AHEAD }, (_, index) =>
    monthAt(floor.getUTCFullYear(), floor.getUTCMonth() + index),
  );
}

/** A table with the name of a month. */
interface Partition {
  readonly table: string;
  readonly isAttached: boolean;
  /** A DETACH was interrupted between its two steps. */
  readonly isDetaching: boolean;
  readonly isMarked: boolean;
}

async function listPartitions(db: Db): Promise<readonly Partition[]> {
  const { rows } = await db.query<{
    table: string;
    attached: boolean;
    detaching: boolean;
    marked: boolean;
  }>(
    `SELECT c.relname AS table, i.inhrelid IS NOT NULL AS attached,
            coalesce(i.inhdetachpending, false) AS detaching,
            coalesce(obj_description(c.oid, 'pg_class') = $1, false) AS marked
     FROM pg_class c
     JOIN pg_class parent ON parent.oid = 'events'::regclass AND parent.relnamespace = c.relnamespace
     LEFT JOIN pg_inherits i ON i.inhrelid = c.oid AND i.inhparent = parent.oid
     WHERE c.relkind = 'r' AND c.relname ~ '^events_[0-9]{4}_[0-9]{2}$'
     ORDER BY c.relname`,
    [EXPIRED],
  );
  return rows.map(({ table, attached, detaching, marked }) => ({
    table,
    isAttached: attached && !detaching,
    isDetaching: detaching,
    isMarked: marked,
  }));
}

/** What another session does that will be over soon: a lock held, a deadlock, the same table made. */
const isContention = (error: unknown): boolean =>
  error instanceof Error &&
  'code' in error &&
  ['55P03', '40P01', '42P07'].includes(String(error.code));

/**
 * Makes the partitions that are missing. Each is a table of its own first and then attached, which
 * locks the parent less than `CREATE TABLE … PARTITION OF` does; the CHECK spares the scan. It
 * waits for no lock for long, since all writers would wait behind it, but tries again.
 *
 * @returns the names of the tables that were attached
 */
export async function ensurePartitions(
  pool: Pool,
  nowMs: number,
  retentionMonths: number,
): Promise<readonly string[]> {
  const months = neededMonths(nowMs, retentionMonths);
  for (let attempt = 0; ; attempt++) {
    try {
      return await inTransaction(pool, (tx) => attachMissing(tx, months));
    } catch (error) {
      if (!isContention(error) || attempt + 1 >= MAKE_ATTEMPTS) throw error;
      await new Promise((resolve) => setTimeout(resolve, backoffMs(attempt, 100, 2_000)));
    }
  }
}

async function attachMissing(tx: Db, months: readonly Month[]): Promise<readonly string[]> {
  await tx.query('SELECT pg_advisory_xact_lock($1)', [MAKE_LOCK]);
  const partitions = await listPartitions(tx);
  const attached = new Set(partitions.filter((p) => p.isAttached).map((p) => p.table));
  const missing = months.filter(({ table }) => !attached.has(table));
  for (const { table, from, to } of missing) {
    const range = `ts >= '${from} 00:00:00+00' AND ts < '${to} 00:00:00+00'`;
    // One that was detached, before the retention became longer, comes back with its rows.
    await tx.query(
      `CREATE TABLE IF NOT EXISTS ${table} (LIKE events INCLUDING ALL, CHECK (${range}))`,
    );
    await tx.query(
      `ALTER TABLE events ATTACH PARTITION ${table}
       FOR VALUES FROM ('${from} 00:00:00+00') TO ('${to} 00:00:00+00')`,
    );
    await tx.query(`ALTER TABLE ${table} SET (autovacuum_vacuum_insert_scale_factor = 0.05)`);
    await tx.query(`COMMENT ON TABLE ${table} IS NULL`);
  }
  return missing.map(({ table }) => table);
}

/**
 * Drops the months that lie wholly before the window, also those of which an earlier attempt got
 * only half of the way. Nothing happens while another worker is at it.
 *
 * @returns the tables that were dropped
 */
export async function dropExpiredPartitions(
  pool: Pool,
  nowMs: number,
  retentionMonths: number,
): Promise<readonly string[]> {
  const first = neededMonths(nowMs, retentionMonths)[0]?.table ?? '';
  // DETACH CONCURRENTLY refuses to run in a transaction, so the lock is the session's.
  const client = await pool.connect();
  let isClean = false;
  try {
    const { rows } = await client.query<{ locked: boolean }>(
      'SELECT pg_try_advisory_lock($1) AS locked',
      [DROP_LOCK],
    );
    const dropped: string[] = [];
    if (rows[0]?.locked) {
      const expired = (await listPartitions(client)).filter(
        (partition) =>
          partition.table < first &&
          (partition.isAttached || partition.isDetaching || partition.isMarked),
      );
      for (const partition of expired) {
        await dropPartition(client, partition);
        dropped.push(partition.table);
      }
      await client.query('SELECT pg_advisory_unlock($1)', [DROP_LOCK]);
    }
    isClean = true;
    return dropped;
  } finally {
    // A session that failed may still hold the lock and its settings: it does not go back.
    client.release(!isClean);
  }
}

/** Drops one month. Detaching first locks readers of the other months least. */
async function dropPartition(db: Db, { table, isAttached, isDetaching }: Partition): Promise<void> {
  const run = (text: string) => db.query({ text, query_timeout: DROP_TIMEOUT_MS + 5_000 });
  await run(`SET statement_timeout = ${DROP_TIMEOUT_MS}`);
  await run(`SET lock_timeout = ${DROP_LOCK_TIMEOUT_MS}`);
  await run(`COMMENT ON TABLE ${table} IS '${EXPIRED}'`);
  if (isDetaching) await run(`ALTER TABLE events DETACH PARTITION ${table} FINALIZE`);
  else if (isAttached) await run(`ALTER TABLE events DETACH PARTITION ${table} CONCURRENTLY`);
  await run(`DROP TABLE ${table}`);
  await run('RESET statement_timeout');
  await run('RESET lock_timeout');
}
