import type { Question } from '../question.ts';
import { and, bucketOf, type Frame, filterSql, makeParameters, seconds } from './sql.ts';

/** The parameters of a statement, with those that each of them needs. */
export function frameOf({ experimentId, start, end }: Question): Frame {
  const parameters = makeParameters();
  const { bind } = parameters;
  return {
    ...parameters,
    experiment: bind(experimentId, 'integer'),
    start: bind(start, 'timestamptz'),
    end: bind(end, 'timestamptz'),
  };
}

/**
 * The text of a scalar attribute. Numbers only where both stores write them alike, without an
 * exponent.
 */
function segmentSql(attribute: string): string {
  const double = `(${attribute})::float8`;
  return `CASE jsonb_typeof(${attribute})
    WHEN 'string' THEN ${attribute} #>> '{}'
    WHEN 'boolean' THEN ${attribute} #>> '{}'
    WHEN 'number' THEN CASE
      WHEN (${attribute})::numeric = 0 THEN '0'
      WHEN abs((${attribute})::numeric) BETWEEN 1e-4 AND 1e15 THEN
        CASE WHEN abs(${double}) >= 1e-4 AND abs(${double}) < 1e15 THEN ${double}::text END
      END
    END`;
}

/**
 * The users who are counted, as the common table expression `users`. They have a number, which is
 * cheaper to group by than their ids.
 */
export function usersSql(question: Question, frame: Frame): string {
  const { segmentBy, contextFilters } = question;
  const segment =
    segmentBy === null ? 'NULL::text' : segmentSql(`(context -> ${frame.bind(segmentBy, 'text')})`);
  const conditions = [
    `experiment_id = ${frame.experiment}`,
    `assigned_at <= ${frame.end}`,
    ...filterSql('context', contextFilters, frame),
  ];
  return `users AS MATERIALIZED (
    SELECT row_number() OVER ()::integer AS number, user_id, variant_id, version, source, assigned_at,
      ${segment} AS segment
    FROM assignments WHERE ${and(conditions)})`;
}

/** How rows of users become arms: what is selected, and what is grouped by. */
export const armsSql = ({ segmentBy }: Question): { select: string; groups: string } =>
  segmentBy === null
    ? { select: 'variant_id, 1 AS is_whole, NULL::text AS segment', groups: 'variant_id' }
    : {
        select: 'variant_id, grouping(segment) AS is_whole, segment',
        groups: 'GROUPING SETS ((variant_id), (variant_id, segment))',
      };

/** Every user in the arm of their variant, and in that of their segment, with a number of the arm. */
export const membersSql = ({ segmentBy }: Question): string =>
  `members AS MATERIALIZED (
    SELECT number, variant_id, is_whole, segment,
      dense_rank() OVER (ORDER BY variant_id, is_whole, segment) AS arm
    FROM (SELECT number, variant_id, 1 AS is_whole, NULL::text AS segment FROM users
      ${segmentBy === null ? '' : 'UNION ALL SELECT number, variant_id, 0, segment FROM users'}) AS m)`;

/** Users by version and variant; and of these by day, and by segment. */
export function versionsSql({ segmentBy }: Question): string {
  const day = 'day';
  const sets = ['(version, variant_id)', `(version, variant_id, ${day})`];
  if (segmentBy !== null) sets.push('(version, variant_id, segment)');
  return `SELECT version, variant_id, count(*)::float8 AS users, grouping(day) AS all_days,
      ${segmentBy === null ? '1' : 'grouping(segment)'} AS all_segments,
      ${seconds('day')} AS day, ${segmentBy === null ? 'NULL' : 'segment'} AS segment
    FROM (SELECT version, variant_id, segment, ${bucketOf('assigned_at', 'day')} AS day
          FROM users WHERE source <> 'forced') AS chosen
    GROUP BY GROUPING SETS (${sets.join(', ')})`;
}

/** New users per bucket. */
export const assignedSql = (bucket: string): string =>
  `SELECT variant_id AS "variantId", ${seconds(bucketOf('assigned_at', bucket))} AS time,
     count(*)::float8 AS users
   FROM users GROUP BY 1, 2`;
