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
  await db.query(
    `INSERT INTO cdc_dead_letters (source, position, table_name, operation, row, error)
     SELECT $1, p, t, o, r, e
     FROM unnest($2::text[], $3::text[], $4::text[], $5::jsonb[], $6::text[]) AS x (p, t, o, r, e)
     ON CONFLICT DO NOTHING`,
    [
      source,
      letters.map(({ change }) => formatLsn(change.lsn)),
      letters.map(({ change }) => change.table),
      letters.map(({ change }) => change.operation),
      letters.map(({ change }) => JSON.stringify(change.row)),
      letters.map(({ error }) => error.slice(0, 2_000)),
    ],
  );
}
