import type { Db, Pool } from '../platform/postgres.ts';
import { inTransaction } from '../platform/postgres.ts';
import { retentionFloor } from './retention.ts';

const MONTHS_AHEAD = 3;
const LOCK_KEY = 4_170_002;

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

async function existingPartitions(db: Db): Promise<ReadonlySet<string>> {
  const { rows } = await db.query<{ name: string }>(
    `SELECT c.relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
     WHERE i.inhparent = 'events'::regclass`,
  );
  return new Set(rows.map(({ name }) => name));
}

/**
 * Makes the partitions that are missing. Each is a table of its own first and then attached, which
 * locks the parent less than `CREATE TABLE … PARTITION OF` does; the CHECK spares the scan.
 */
export async function ensurePartitions(
  pool: Pool,
  nowMs: number,
  retentionMonths: number,
): Promise<readonly string[]> {
  return inTransaction(pool, async (tx) => {
    await tx.query('SELECT pg_advisory_xact_lock($1)', [LOCK_KEY]);
    const existing = await existingPartitions(tx);
    const missing = neededMonths(nowMs, retentionMonths).filter(
      ({ table }) => !existing.has(table),
    );
    for (const { table, from, to } of missing) {
      const range = `ts >= '${from} 00:00:00+00' AND ts < '${to} 00:00:00+00'`;
      await tx.query(`CREATE TABLE ${table} (LIKE events INCLUDING ALL, CHECK (${range}))`);
      await tx.query(
        `ALTER TABLE events ATTACH PARTITION ${table}
         FOR VALUES FROM ('${from} 00:00:00+00') TO ('${to} 00:00:00+00')`,
      );
      await tx.query(`ALTER TABLE ${table} SET (autovacuum_vacuum_insert_scale_factor = 0.05)`);
    }
    return missing.map(({ table }) => table);
  });
}

/** Partitions of months that lie wholly before the window. */
export async function expiredPartitions(
  db: Db,
  nowMs: number,
  retentionMonths: number,
): Promise<readonly Month[]> {
  const floor = new Date(retentionFloor(nowMs, retentionMonths) / 1000).toISOString().slice(0, 10);
  return [...(await existingPartitions(db))]
    .flatMap((name) => {
      const match = /^events_(\d{4})_(\d{2})$/.exec(name);
      return match === null ? [] : [monthAt(Number(match[1]), Number(match[2]) - 1)];
    })
    .filter(({ to }) => to <= floor)
    .sort((a, b) => (a.table < b.table ? -1 : 1));
}

/** Drops one month. Detaching first locks readers of the other months least. */
export async function dropPartition(db: Db, { table }: Month): Promise<void> {
  await db.query(`ALTER TABLE events DETACH PARTITION ${table} CONCURRENTLY`);
  await db.query(`DROP TABLE ${table}`);
}
