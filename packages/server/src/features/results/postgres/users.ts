import { rfc3339 } from '../../../platform/postgres.ts';
import { COUNTS_MAX, type Question } from '../question.ts';
import { and } from '../sql-lists.ts';
import { bucketOf, type Frame, filterSql, makeParameters, seconds } from './sql.ts';

/** The parameters of a statement, with those that each of them needs. */
export function frameOf(question: Pick<Question, 'experimentId' | 'start' | 'end'>): Frame {
  const frame = usersFrameOf(question);
  return { ...frame, start: frame.bind(question.start, 'timestamptz') };
}

/** The same for a statement that looks at users alone; a parameter that it leaves out is an error. */
export function usersFrameOf({
  experimentId,
  end,
}: Pick<Question, 'experimentId' | 'end'>): Omit<Frame, 'start'> {
  const parameters = makeParameters();
  return {
    ...parameters,
    experiment: parameters.bind(experimentId, 'integer'),
    end: parameters.bind(end, 'timestamptz'),
  };
}

/** The time of the transaction, RFC 3339 UTC. */
export const AS_OF = rfc3339('now()');

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
export function usersSql(
  { segmentBy, contextFilters }: Pick<Question, 'segmentBy' | 'contextFilters'>,
  frame: Omit<Frame, 'start'>,
): string {
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

/**
 * Users by version and variant; and of these by day, by source, and by segment. Only an attribute can
 * have any number of values, so only then rows are left out: beyond COUNTS_MAX a request is refused.
 */
export function versionsSql({ segmentBy }: Pick<Question, 'segmentBy'>): string {
  const parts = ['day', 'source', ...(segmentBy === null ? [] : ['segment'])];
  const sets = ['(version, variant_id)', ...parts.map((part) => `(version, variant_id, ${part})`)];
  return `SELECT version, variant_id, count(*)::float8 AS users, grouping(day) AS all_days,
      grouping(source) AS all_sources,
      ${segmentBy === null ? '1' : 'grouping(segment)'} AS all_segments,
      ${seconds('day')} AS day, source, ${segmentBy === null ? 'NULL' : 'segment'} AS segment
    FROM (SELECT version, variant_id, source, segment, ${bucketOf('assigned_at', 'day')} AS day
          FROM users WHERE source <> 'forced') AS chosen
    GROUP BY GROUPING SETS (${sets.join(', ')})
    ${segmentBy === null ? '' : `LIMIT ${COUNTS_MAX + 1}`}`;
}

/**
 * New users per bucket of the series; before its beginning per day, since of the last hour by minutes
 * nobody wants the minutes of a year.
 */
export function assignedSql({ series }: Question, frame: Frame): string {
  const time = `CASE WHEN assigned_at >= ${frame.bind(series.start, 'timestamptz')}
    THEN ${bucketOf('assigned_at', series.bucket)} ELSE ${bucketOf('assigned_at', 'day')} END`;
  return `SELECT variant_id AS "variantId", ${seconds(`(${time})`)} AS time,
     count(*)::float8 AS users
   FROM users GROUP BY 1, 2`;
}
