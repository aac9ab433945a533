import { createHash } from 'node:crypto';
import type { Db } from '../platform/postgres.ts';
import { formatLsn } from './lsn.ts';
import type { Change } from './source.ts';

/** A change that ClickHouse cannot take, and why. */
export interface DeadLetter {
  readonly change: Change;
  readonly error: string;
}

/** Sets changes aside, durably; a replay that meets them again changes nothing. */
export async function insertDeadLetters(
  db: Db,
  source: string,
  letters: readonly DeadLetter[],
): Promise<void> {
  if (letters.length === 0) return;
  const rows = letters.map(({ change, error }) => {
    const { table, operation } = change;
    const position = formatLsn(change.lsn);
    const row = JSON.stringify(change.row);
    // The position alone does not tell changes apart: COPY gives many rows one LSN.
    const fingerprint = createHash('sha256')
      .update(JSON.stringify([source, position, table, operation, row]))
      .digest();
    return { table, operation, position, row, fingerprint, error: error.slice(0, 2_000) };
  });
  await db.query(
    `INSERT INTO cdc_dead_letters (source, position, table_name, operation, row, error, fingerprint)
     SELECT $1, p, t, o, r, e, f
     FROM unnest($2::text[], $3::text[], $4::text[], $5::jsonb[], $6::text[], $7::bytea[])
       AS x (p, t, o, r, e, f)
     ON CONFLICT (fingerprint) DO NOTHING`,
    [
      source,
      rows.map(({ position }) => position),
      rows.map(({ table }) => table),
      rows.map(({ operation }) => operation),
      rows.map(({ row }) => row),
      rows.map(({ error }) => error),
      rows.map(({ fingerprint }) => fingerprint),
    ],
  );
}
