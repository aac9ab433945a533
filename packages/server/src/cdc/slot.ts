import type pg from 'pg';

/** What the database says of a replication slot; undefined when there is none. */
export interface Slot {
  readonly isActive: boolean;
  /** The server has thrown away WAL that the slot needed. */
  readonly isLost: boolean;
}

export async function findSlot(client: pg.Client, name: string): Promise<Slot | undefined> {
  const { rows } = await client.query<{ active: boolean; wal_status: string | null }>(
    'SELECT active, wal_status FROM pg_replication_slots WHERE slot_name = $1',
    [name],
  );
  const [row] = rows;
  return row === undefined
    ? undefined
    : { isActive: row.active, isLost: row.wal_status === 'lost' };
}

/** Makes the slot; on PostgreSQL 17 and later one that a failover takes along. */
export async function createSlot(client: pg.Client, name: string): Promise<void> {
  const { rows } = await client.query<{ version: number }>(
    "SELECT current_setting('server_version_num')::int AS version",
  );
  const canFailOver = (rows[0]?.version ?? 0) >= 170_000;
  await client.query(
    canFailOver
      ? "SELECT pg_create_logical_replication_slot($1, 'pgoutput', false, false, true)"
      : "SELECT pg_create_logical_replication_slot($1, 'pgoutput')",
    [name],
  );
}

export async function dropSlot(client: pg.Client, name: string): Promise<void> {
  await client.query('SELECT pg_drop_replication_slot($1)', [name]);
}

/** Slots are named per cluster, and several databases may live in one. */
export async function slotName(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{ name: string }>('SELECT current_database() AS name');
  const database = rows[0]?.name ?? 'assay';
  const suffix = database.toLowerCase().replace(/[^a-z0-9_]/g, '_');
  return suffix === 'assay' ? 'assay_cdc' : `assay_cdc_${suffix}`.slice(0, 63);
}
