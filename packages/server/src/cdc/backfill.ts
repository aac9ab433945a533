import { must } from '../errors.ts';
import type { Db } from '../platform/postgres.ts';
import { type WriterOptions, type Written, writeChanges } from './clickhouse-writer.ts';
import { insertDeadLetters } from './dead-letters.ts';
import type { Change } from './source.ts';
import { SINK_COLUMNS, type SinkTable } from './steps/to-row.ts';

/** With events of at most some 10 KB, tens of megabytes at once. */
const CHUNK_ROWS = 4_000;
const CHUNK_TIMEOUT_MS = 60_000;

export interface Backfill {
  readonly db: Db;
  readonly slot: string;
  readonly source: string;
  readonly writer: WriterOptions;
  /** Aborted when the copy shall pause at its next chunk; it goes on from there later. */
  readonly signal: AbortSignal;
  readonly onWritten: (written: Written) => void;
}

/** A table or partition that holds rows, and the key of the last one that was copied. */
interface Place {
  readonly relation: string;
  readonly after: readonly [string, string];
}

/** Whether the slot has, since it was made, been preceded by a whole copy of the tables. */
export async function isBackfilled(db: Db, slot: string): Promise<boolean> {
  const { rowCount } = await db.query(
    'SELECT FROM cdc_backfills WHERE slot = $1 AND completed_at IS NOT NULL',
    [slot],
  );
  return rowCount === 1;
}

/** Says durably that everything must be copied, from the beginning. */
export async function requireBackfill(db: Db, slot: string): Promise<void> {
  await db.query(
    `INSERT INTO cdc_backfills (slot, started_at) VALUES ($1, now())
     ON CONFLICT (slot) DO UPDATE
     SET started_at = excluded.started_at, completed_at = NULL, place = NULL`,
    [slot],
  );
}

/**
 * Copies what the tables hold into ClickHouse, with LSN 0, so that a streamed change of the same
 * row always wins. No snapshot is held: the slot is older than the copy, so whatever changes
 * meanwhile is streamed afterwards. Copying a row twice is the same as once, so the place is
 * noted after each chunk and a copy that was interrupted goes on from there.
 *
 * @returns whether everything is copied
 */
export async function copyTables(backfill: Backfill): Promise<boolean> {
  const { db, slot, signal } = backfill;
  const resumed = await findPlace(db, slot);
  for (const { relation, table } of await listRelations(db)) {
    if (resumed !== null && relation < resumed.relation) continue;
    let after: Place['after'] | null = resumed?.relation === relation ? resumed.after : null;
    do {
      if (signal.aborted) return false;
      after = await copyChunk(backfill, table, relation, after);
      if (after !== null) await savePlace(db, slot, { relation, after });
    } while (after !== null);
  }
  await db.query('UPDATE cdc_backfills SET completed_at = now(), place = NULL WHERE slot = $1', [
    slot,
  ]);
  return true;
}

/** In the order of their names, which is that of the copy. */
async function listRelations(
  db: Db,
): Promise<readonly { readonly relation: string; readonly table: SinkTable }[]> {
  const { rows } = await db.query<{ name: string }>(
    `SELECT c.relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
     WHERE i.inhparent = 'events'::regclass`,
  );
  const partitions = rows.map(({ name }) => ({ relation: name, table: 'events' as const }));
  return [{ relation: 'assignments', table: 'assignments' as const }, ...partitions].sort((a, b) =>
    a.relation < b.relation ? -1 : 1,
  );
}

async function findPlace(db: Db, slot: string): Promise<Place | null> {
  const { rows } = await db.query<{ place: Place | null }>(
    'SELECT place FROM cdc_backfills WHERE slot = $1',
    [slot],
  );
  return rows[0]?.place ?? null;
}

async function savePlace(db: Db, slot: string, place: Place): Promise<void> {
  await db.query('UPDATE cdc_backfills SET place = $2 WHERE slot = $1', [
    slot,
    JSON.stringify(place),
  ]);
}

const KEYS: Readonly<Record<SinkTable, readonly [string, string]>> = {
  events: ['event_id', 'ts'],
  assignments: ['experiment_id', 'user_id'],
};

/** Copies the rows that follow a key; answers the last key, or null when there are no more. */
async function copyChunk(
  { db, source, writer, onWritten }: Backfill,
  table: SinkTable,
  relation: string,
  after: Place['after'] | null,
): Promise<Place['after'] | null> {
  const [first, second] = KEYS[table];
  const columns = SINK_COLUMNS[table].map((column) => `t.${column}::text AS ${column}`).join(', ');
  const where = after === null ? '' : `WHERE (t.${first}, t.${second}) > ($1, $2)`;
  const { rows } = await db.query<Record<string, string | null>>(
    {
      text: `SELECT ${columns} FROM "${relation}" t ${where}
             ORDER BY t.${first}, t.${second} LIMIT ${CHUNK_ROWS}`,
      query_timeout: CHUNK_TIMEOUT_MS,
    },
    after ?? [],
  );
  const last = rows.at(-1);
  if (last === undefined) return null;
  const changes = rows.map(
    (row): Change => ({ table, operation: 'insert', row, unsent: [], lsn: 0n }),
  );
  const written = await writeChanges(writer, changes);
  await insertDeadLetters(db, source, written.deadLetters);
  onWritten(written);
  if (rows.length < CHUNK_ROWS) return null;
  return [must(last[first], 'keys are not null'), must(last[second], 'keys are not null')];
}
