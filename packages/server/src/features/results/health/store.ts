import { must } from '../../../errors.ts';
import { type Db, inTransaction, type Pool } from '../../../platform/postgres.ts';
import { askRow, filterSql, planForSets } from '../postgres/sql.ts';
import { usersFrameOf } from '../postgres/users.ts';
import type { Question } from '../question.ts';
import { and } from '../sql-lists.ts';
import { STATEMENT_TIMEOUT_MS } from '../store-postgres.ts';
import type { Conflicts } from './conflicts.ts';

/** Whose conflicts are counted. */
type CountedUsers = Pick<Question, 'experimentId' | 'end' | 'contextFilters'> & {
  readonly withoutForced?: boolean;
};

/**
 * Conflicts seen up to the end of those users whom a question counts. There may be one for every
 * user, and just then they must be told: so within the time of results, and planned for many.
 *
 * @param resultsDb the pool of results
 */
export const countConflicts = (resultsDb: Pool, users: CountedUsers): Promise<Conflicts> =>
  inTransaction(resultsDb, (tx) => conflictsIn(tx, users), 'READ');

async function conflictsIn(tx: Db, users: CountedUsers): Promise<Conflicts> {
  const deadline = performance.now() + STATEMENT_TIMEOUT_MS;
  const { contextFilters, withoutForced = false } = users;
  const frame = usersFrameOf(users);
  const counted = [
    'a.user_id IS NOT NULL',
    `a.assigned_at <= ${frame.end}`,
    ...(withoutForced ? [`a.source <> 'forced'`] : []),
    ...filterSql('a.context', contextFilters, frame),
  ];
  // Of who is not stored no context is known.
  const isUnassigned = contextFilters.length === 0 ? 'a.user_id IS NULL' : 'false';
  await planForSets(tx);
  return askRow<Conflicts & Record<string, unknown>>(
    tx,
    `SELECT count(*) FILTER (WHERE ${and(counted)}) AS assigned,
            count(*) FILTER (WHERE ${isUnassigned}) AS unassigned
     FROM (SELECT DISTINCT user_id FROM assignment_conflicts
           WHERE experiment_id = ${frame.experiment} AND first_seen_at <= ${frame.end}) AS c
     LEFT JOIN assignments a ON a.experiment_id = ${frame.experiment} AND a.user_id = c.user_id`,
    frame,
    deadline,
  );
}

/** Items of an experiment in quarantine. */
export async function countQuarantined(
  db: Db,
  experiment: { readonly id: number; readonly key: string },
): Promise<number> {
  const { rows } = await db.query<{ count: number }>(
    'SELECT count(*) FROM quarantine WHERE experiment IN ($1::text, $2)',
    [experiment.id, experiment.key],
  );
  return must(rows[0], 'a count has one row').count;
}
