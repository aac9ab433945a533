import { ADVISORY_LOCKS } from '../platform/advisory-locks.ts';
import type { Db } from '../platform/postgres.ts';

/** Marks a month that was detached to be dropped, and not by an operator to be kept elsewhere. */
const EXPIRED = 'assay: expired';
/** Detaching waits for everyone who still reads the table. */
const DROP_TIMEOUT_MS = 120_000;
const DROP_LOCK_TIMEOUT_MS = 60_000;

/** A month of `events` as its table: the name, and its bounds as RFC 3339 dates. */
export interface Month {
  readonly table: string;
  readonly from: string;
  readonly to: string;
}

/** A table with the name of a month. */
interface Partition {
  readonly table: string;
  readonly isAttached: boolean;
  /** A DETACH was interrupted between its two steps. */
  readonly isDetaching: boolean;
  readonly isMarked: boolean;
}

/** Every table that is, or was, a month of `events`, from the oldest on. */
export async function listPartitions(db: Db): Promise<readonly Partition[]> {
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

/** Waits until nobody else makes partitions, and keeps others from it to the end of the transaction. */
export async function lockMaking(tx: Db): Promise<void> {
  await tx.query('SELECT pg_advisory_xact_lock($1)', [ADVISORY_LOCKS.makePartitions]);
}

/**
 * Makes a month's table and attaches it. A table of its own first, since attaching locks the parent
 * less than `CREATE TABLE … PARTITION OF` does; the CHECK spares the scan.
 */
export async function attachMonth(tx: Db, { table, from, to }: Month): Promise<void> {
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

/** Takes, for the session, the right to drop partitions; answers false while another has it. */
export async function tryLockDropping(session: Db): Promise<boolean> {
  const { rows } = await session.query<{ locked: boolean }>(
    'SELECT pg_try_advisory_lock($1) AS locked',
    [ADVISORY_LOCKS.dropPartitions],
  );
  return rows[0]?.locked === true;
}

/** Gives the right of {@link tryLockDropping} back. */
export async function unlockDropping(session: Db): Promise<void> {
  await session.query('SELECT pg_advisory_unlock($1)', [ADVISORY_LOCKS.dropPartitions]);
}

/** Drops one month, in no transaction. Detaching first locks readers of the other months least. */
export async function dropPartition(
  db: Db,
  { table, isAttached, isDetaching }: Partition,
): Promise<void> {
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
