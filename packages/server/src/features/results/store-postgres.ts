import { must } from '../../errors.ts';
import type { Db } from '../../platform/postgres.ts';
import { planOf } from './plan.ts';
import { armSumsSql, measuresSql, seriesSql } from './postgres/measures.ts';
import { allRows, askRow } from './postgres/sql.ts';
import { assignedSql, frameOf, usersSql, versionsSql } from './postgres/users.ts';
import type { Answer, AssignedRow, Question, SeriesRow } from './question.ts';
import { type SumsRow, toArms, toCaps, toUsers } from './statistics.ts';
import { toVersions, type VersionRow } from './versions.ts';

export const STATEMENT_TIMEOUT_MS = 60_000;

/** True for a statement that the server ended because it took too long. */
export const isStatementTimeout = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === '57014';

interface AnswerRow extends Record<string, unknown> {
  readonly sums: readonly SumsRow[];
  readonly versions: readonly VersionRow[];
  readonly series: readonly SeriesRow[];
  readonly assigned: readonly AssignedRow[];
  readonly as_of: string;
}

/** Answers from PostgreSQL. To be called in a transaction of mode READ. */
export async function askPostgres(
  tx: Db,
  question: Question,
): Promise<Answer & { readonly asOf: string }> {
  const deadline = performance.now() + STATEMENT_TIMEOUT_MS;
  await tx.query(`SET LOCAL work_mem = '128MB'`);
  // Whole sets are joined, and a planner without fresh statistics would take them for a few rows:
  // 21 s by nested loops against 0.2 s by hashing, with 6,325 users just loaded.
  await tx.query('SET LOCAL enable_nestloop = off');
  // Compiling takes longer than it saves.
  await tx.query('SET LOCAL jit = off');
  const plan = planOf(question.metrics);
  const frame = frameOf(question);
  // One statement, because the join of users and events is most of the work.
  const text = `WITH ${[usersSql(question, frame), ...measuresSql(question, plan, frame)].join(', ')}
    SELECT ${allRows(armSumsSql(question, plan))} AS sums,
      ${allRows(versionsSql(question))} AS versions,
      ${allRows(seriesSql(question, frame))} AS series,
      ${allRows(assignedSql(question.series.bucket))} AS assigned,
      to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS as_of`;
  const row = await askRow<AnswerRow>(tx, text, frame, deadline);
  return {
    users: toUsers(row.sums),
    arms: toArms(plan, row.sums),
    steps: [],
    caps: toCaps(plan, row.sums),
    versions: toVersions(row.versions),
    series: row.series,
    assigned: row.assigned,
    metricSeries: [],
    asOf: row.as_of,
  };
}

/** Counts of an experiment's trouble: users with conflicts, and items in quarantine. */
export async function countTrouble(
  db: Db,
  experiment: { readonly id: number; readonly key: string },
): Promise<{ readonly conflicts: number; readonly quarantined: number }> {
  const { rows } = await db.query<{ conflicts: number; quarantined: number }>(
    `SELECT (SELECT count(DISTINCT user_id) FROM assignment_conflicts WHERE experiment_id = $1) AS conflicts,
            (SELECT count(*) FROM quarantine WHERE experiment IN ($1::text, $2)) AS quarantined`,
    [experiment.id, experiment.key],
  );
  return must(rows[0], 'a select without FROM has one row');
}

/** When the first user was assigned, RFC 3339 UTC; null before that. */
export async function firstAssignment(db: Db, experimentId: number): Promise<string | null> {
  const { rows } = await db.query<{ first: string | null }>(
    `SELECT to_char(min(assigned_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS first
     FROM assignments WHERE experiment_id = $1`,
    [experimentId],
  );
  return rows[0]?.first ?? null;
}
