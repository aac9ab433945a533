import { formatInstant, parseInstant } from '@assay/core';
import { must } from '../../../errors.ts';
import { type Db, rfc3339 } from '../../../platform/postgres.ts';
import type { Plan } from '../plan.ts';
import type { Question } from '../question.ts';

/**
 * From when on events are read where that is not the question's start: covariates begin before the
 * first assignment. A constant, since of a time it does not know the planner expects next to nothing.
 */
export async function scanStart(
  tx: Db,
  question: Question,
  { columns }: Plan,
): Promise<string | null> {
  const { experimentId, start, retentionFloor } = question;
  const before = Math.max(0, ...columns.map((column) => column.before ?? 0));
  const first = before === 0 ? null : await firstAssignment(tx, experimentId);
  if (first === null) return null;
  const micros = (time: string): number => must(parseInstant(time), 'times are RFC 3339');
  const earliest = Math.min(micros(start), micros(first) - before);
  return formatInstant(Math.max(micros(retentionFloor), earliest));
}

/** When the first user was assigned, RFC 3339 UTC; null before that. */
async function firstAssignment(db: Db, experimentId: number): Promise<string | null> {
  const { rows } = await db.query<{ first: string | null }>(
    `SELECT ${rfc3339('min(assigned_at)')} AS first FROM assignments WHERE experiment_id = $1`,
    [experimentId],
  );
  return rows[0]?.first ?? null;
}
