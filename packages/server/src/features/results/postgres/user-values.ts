import type { PlannedFunnel } from '../funnel-rows.ts';
import { type Column, type Plan, unionOfTypes } from '../plan.ts';
import type { Question } from '../question.ts';
import { and } from '../sql-lists.ts';
import { TINY, valuesSql } from '../sums.ts';
import { eventsOf } from './events.ts';
import { reachedSql } from './funnels.ts';
import { measuresSql } from './measures.ts';
import { type Frame, filterSql } from './sql.ts';

// What each user did, instead of sums over them: for those who draw arms of their own. The users are
// a random part of the experiment's, in an order that the hash of their ids gives.

const HASH = 'hashtextextended';

/**
 * The expression `users`, of at most `limit`, numbered from 1 on. Each is a segment of their own, so
 * that all that is computed by segments is computed for each.
 */
function someUsersSql(question: Question, frame: Frame, limit: number): string {
  const conditions = [
    `experiment_id = ${frame.experiment}`,
    `assigned_at <= ${frame.end}`,
    ...filterSql('context', question.contextFilters, frame),
  ];
  return `users AS MATERIALIZED (
    SELECT row_number() OVER (ORDER BY ${HASH}(user_id, 0), user_id)::integer AS number,
      user_id, variant_id, assigned_at, user_id AS segment
    FROM (SELECT user_id, variant_id, assigned_at FROM assignments WHERE ${and(conditions)}
      ORDER BY ${HASH}(user_id, 0), user_id LIMIT ${frame.bind(limit, 'integer')}) AS first)`;
}

/**
 * The values of a plan of each user: `id` and `values`, in the order of the users.
 *
 * @param from events from here on are read; null: from the question's start
 */
export function userValuesSql(
  question: Question,
  plan: Plan,
  frame: Frame,
  { limit, from }: { readonly limit: number; readonly from: string | null },
): string {
  const users = someUsersSql(question, frame, limit);
  const values = valuesSql(plan).map((_, index) => `v${index}`);
  return `WITH ${users}, ${measuresSql(question, plan, frame, from).join(', ')}
    SELECT segment AS id, ARRAY[${values.join(', ')}]::float8[] AS values
    FROM valued ORDER BY ${HASH}(segment, 0), segment`;
}

/** Of each user, in order, 1 for each funnel that they went through, else 0: `values`. */
export function userFunnelsSql(
  question: Question,
  funnels: readonly PlannedFunnel[],
  frame: Frame,
  limit: number,
): string {
  const users = someUsersSql(question, frame, limit);
  const { expressions, names } = reachedSql(question, funnels, frame);
  const last = names.map((steps) => steps.at(-1) ?? '');
  return `WITH ${users}, ${expressions.join(', ')}
    SELECT ARRAY[${last.map((name) => `(${name}.ts IS NOT NULL)::integer`).join(', ')}]::float8[] AS values
    FROM users ${last.map((name) => `LEFT JOIN ${name} USING (number)`).join(' ')}
    ORDER BY number`;
}

/**
 * The events of each column by user: `set` (the place of the column), `number` of the user, `values`
 * and their `places` among all of the set in ascending order, from 1 on. Of each column only the
 * events of the first users, who have at most `eventsMax` together; the first user beyond them is there
 * with nulls.
 */
export function userEventsSql(
  question: Question,
  columns: readonly Column[],
  frame: Frame,
  { limit, eventsMax }: { readonly limit: number; readonly eventsMax: number },
): string {
  const users = someUsersSql(question, frame, limit);
  const types = unionOfTypes(columns.map((column) => column.types));
  const events = eventsOf(question, frame, { columns, types, from: null });
  const values = columns.map((column, i) => `${events.columnSql(column)} AS a${i}`);
  const max = frame.bind(eventsMax, 'bigint');
  return `WITH ${users},
    picked AS MATERIALIZED (
      SELECT set, number, CASE WHEN abs(value) >= ${TINY} THEN value ELSE 0 END AS value
      FROM (SELECT e.number, ${values.join(', ')} FROM ${events.sql} AS e) AS x
        CROSS JOIN LATERAL (VALUES ${columns.map((_, i) => `(${i}, a${i})`).join(', ')}) AS s (set, value)
      WHERE value IS NOT NULL),
    running AS (
      SELECT set, number, count(*) AS events,
        sum(count(*)) OVER (PARTITION BY set ORDER BY number) AS so_far
      FROM picked GROUP BY set, number),
    sorted AS (
      SELECT set, number, value, row_number() OVER (PARTITION BY set ORDER BY value)::integer AS place
      FROM picked JOIN running USING (set, number) WHERE so_far <= ${max})
    SELECT set, number, array_agg(value) AS values, array_agg(place) AS places
    FROM sorted GROUP BY set, number
    UNION ALL
    SELECT set, number, NULL, NULL FROM running WHERE so_far > ${max} AND so_far - events <= ${max}`;
}
