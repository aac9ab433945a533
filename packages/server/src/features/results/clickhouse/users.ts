import { COUNTS_MAX, type Question } from '../question.ts';
import { and } from '../sql-lists.ts';
import { bindTime, type Frame, filterSql, makeParameters, scalarSql, startOf } from './sql.ts';

/** The parameters of a statement, with those that each of them needs. */
export function frameOf(question: Pick<Question, 'experimentId' | 'start' | 'end'>): Frame {
  const frame = usersFrameOf(question);
  return { ...frame, start: bindTime(frame, question.start) };
}

/** The same for a statement that looks at users alone. */
export function usersFrameOf({
  experimentId,
  end,
}: Pick<Question, 'experimentId' | 'end'>): Omit<Frame, 'start'> {
  const parameters = makeParameters();
  return {
    ...parameters,
    experiment: parameters.bind(experimentId, 'UInt32'),
    end: bindTime(parameters, end),
  };
}

/** The users who are counted. */
export function usersSql(
  { segmentBy, contextFilters }: Pick<Question, 'segmentBy' | 'contextFilters'>,
  frame: Omit<Frame, 'start'>,
): string {
  const segment =
    segmentBy === null ? 'CAST(NULL AS Nullable(String))' : scalarSql('context', segmentBy, frame);
  const conditions = [
    `experiment_id = ${frame.experiment}`,
    `assigned_at <= ${frame.end}`,
    ...filterSql('context', contextFilters, frame),
  ];
  return `SELECT user_id, variant_id, version, source, assigned_at, ${segment} AS segment
    FROM assignments FINAL WHERE ${and(conditions)}`;
}

/** How rows of users become arms: what is selected, and what is grouped by. */
export const armsSql = ({ segmentBy }: Question): { select: string; groups: string } =>
  segmentBy === null
    ? { select: 'variant_id, 1 AS is_whole, NULL AS segment', groups: 'variant_id' }
    : {
        select: 'variant_id, grouping(segment) AS is_whole, segment',
        groups: 'GROUPING SETS ((variant_id), (variant_id, segment))',
      };

/**
 * Users by version and variant; and of these by day, by source, and by segment. Only an attribute can
 * have any number of values, so only then rows are left out: beyond COUNTS_MAX a request is refused.
 */
export function versionsSql(
  question: Pick<Question, 'segmentBy' | 'contextFilters'>,
  frame: Omit<Frame, 'start'>,
): string {
  const { segmentBy } = question;
  const parts = ['day', 'source', ...(segmentBy === null ? [] : ['segment'])];
  const sets = ['(version, variant_id)', ...parts.map((part) => `(version, variant_id, ${part})`)];
  return `SELECT version, variant_id, toFloat64(count()) AS users, grouping(day) AS all_days,
      grouping(source) AS all_sources,
      ${segmentBy === null ? '1' : 'grouping(segment)'} AS all_segments, day, source,
      ${segmentBy === null ? 'NULL AS segment' : 'segment'}
    FROM (SELECT version, variant_id, source, segment, ${startOf('assigned_at', 'day')} AS day
          FROM (${usersSql(question, frame)}) WHERE source != 'forced')
    GROUP BY GROUPING SETS (${sets.join(', ')})
    ${segmentBy === null ? '' : `LIMIT ${COUNTS_MAX + 1}`}`;
}

/**
 * New users per bucket of the series; before its beginning per day, since of the last hour by minutes
 * nobody wants the minutes of a year.
 */
export function assignedSql(question: Question, frame: Frame): string {
  const { start, bucket } = question.series;
  const time = `if(assigned_at >= ${bindTime(frame, start)},
    ${startOf('assigned_at', bucket)}, ${startOf('assigned_at', 'day')})`;
  return `SELECT variant_id AS variantId, ${time} AS time, toFloat64(count()) AS users
    FROM (${usersSql(question, frame)}) GROUP BY variantId, time`;
}
