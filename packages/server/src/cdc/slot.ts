import { ADVISORY_LOCKS } from '../platform/advisory-locks.ts';
import { type Db, inTransaction, type Pool } from '../platform/postgres.ts';

/** What the database says of a replication slot; undefined when there is none. */
export interface Slot {
  readonly isActive: boolean;
  /** The server has thrown away WAL that the slot needed. */
  readonly isLost: boolean;
  /** Bytes of WAL that the slot keeps the server from removing. */
  readonly retainedBytes: number;
  /** Bytes of WAL that were not confirmed yet. */
  readonly unconfirmedBytes: number;
  /** Bytes that may be written before the slot is lost; null without a limit. */
  readonly safeBytes: number | null;
}

/** Making a slot waits for every transaction that is under way. */
const CREATE_TIMEOUT_MS = 120_000;

export async function findSlot(db: Db, name: string): Promise<Slot | undefined> {
  const { rows } = await db.query<{
    active: boolean;
    wal_status: string | null;
    retained: string | null;
    unconfirmed: string | null;
    safe: string | null;
  }>(
    `SELECT active, wal_status, safe_wal_size::text AS safe,
            pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::text AS retained,
            pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn)::text AS unconfirmed
     FROM pg_replication_slots WHERE slot_name = $1`,
    [name],
  );
  const [row] = rows;
  if (row === undefined) return undefined;
  return {
    isActive: row.active,
    isLost: row.wal_status === 'lost',
    retainedBytes: Number(row.retained ?? 0),
    unconfirmedBytes: Number(row.unconfirmed ?? 0),
    safeBytes: row.safe === null ? null : Number(row.safe),
  };
}

/** Makes the slot; on PostgreSQL 17 and later one that a failover takes along. */
export async function createSlot(db: Db, name: string): Promise<void> {
  const { rows } = await db.query<{ version: number }>(
    "SELECT current_setting('server_version_num')::int AS version",
  );
  const canFailOver = (rows[0]?.version ?? 0) >= 170_000;
  const text = canFailOver
    ? "SELECT pg_create_logical_replication_slot($1, 'pgoutput', false, false, true)"
    : "SELECT pg_create_logical_replication_slot($1, 'pgoutput')";
  await db.query({ text, query_timeout: CREATE_TIMEOUT_MS }, [name]);
}

export async function dropSlot(db: Db, name: string): Promise<void> {
  await db.query('SELECT pg_drop_replication_slot($1)', [name]);
}

/** Slots are named per cluster, and several databases may live in one. */
export async function slotName(db: Db): Promise<string> {
  const { rows } = await db.query<{ name: string }>('SELECT current_database() AS name');
  const database = rows[0]?.name ?? 'assay';
  const suffix = database.toLowerCase().replace(/[^a-z0-9_]/g, '_');
  return suffix === 'assay' ? 'assay_cdc' : `assay_cdc_${suffix}`.slice(0, 63);
}

/**
 * Drops the slot of a database that has no ClickHouse any more: nobody would ever read it, and it
 * would hold WAL until the disk is full. A later ClickHouse is filled from the tables.
 *
 * @returns the name of the slot that was dropped
 */
export function dropUnusedSlot(pool: Pool): Promise<string | undefined> {
  return inTransaction(pool, async (tx) => {
    const name = await slotName(tx);
    // Not while another worker leads, which then has a ClickHouse.
    const { rowCount } = await tx.query(
      `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots
       WHERE slot_name = $1 AND NOT active AND database = current_database()
         AND pg_try_advisory_xact_lock($2)`,
      [name, ADVISORY_LOCKS.leadCdc],
    );
    return rowCount === 0 ? undefined : name;
  });
}
