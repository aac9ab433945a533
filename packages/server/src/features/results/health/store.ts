import { must } from '../../../errors.ts';
import { type Db, inTransaction, type Pool } from '../../../platform/postgres.ts';
import { filterSql, planForSets } from '../postgres/sql.ts';
import { usersFrameOf } from '../postgres/users.ts';
import type { Question } from '../question.ts';
import { and } from '../sql-lists.ts';
import type { Conflicts } from './conflicts.ts';

/** Whose conflicts are counted. */
type CountedUsers = Pick<Question, 'experimentId' | 'end' | 'contextFilters'> & {
  readonly withoutForced?: boolean;
};

/** More users with conflicts are told as so many. */
const COUNTED_MAX = 500_000;

/**
 * Conflicts seen up to the end of those users whom a question counts. There may be one for every
 * user, and just then they must be told: so planned for many, and counted up to a bound.
 */
export const countConflicts = (db: Pool, users: CountedUsers): Promise<Conflicts> =>
  inTransaction(db, (tx) => conflictsIn(tx, users), 'READ');

async function conflictsIn(tx: Db, users: CountedUsers): Promise<Conflicts> {
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
  const { rows } = await tx.query<Conflicts>(
    `SELECT count(*) FILTER (WHERE ${and(counted)}) AS assigned,
            count(*) FILTER (WHERE ${isUnassigned}) AS unassigned
     FROM (SELECT DISTINCT user_id FROM assignment_conflicts
           WHERE experiment_id = ${frame.experiment} AND first_seen_at <= ${frame.end}
           LIMIT ${COUNTED_MAX}) AS c
     LEFT JOIN assignments a ON a.experiment_id = ${frame.experiment} AND a.user_id = c.user_id`,
    frame.values,
  );
  return must(rows[0], 'an aggregate has one row');
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
