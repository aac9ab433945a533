import type { Question } from '../question.ts';
import { and, bindTime, type Frame, filterSql, makeParameters, scalarSql, startOf } from './sql.ts';

/** The parameters of a statement, with those that each of them needs. */
export function frameOf({ experimentId, start, end }: Question): Frame {
  const parameters = makeParameters();
  return {
    ...parameters,
    experiment: parameters.bind(experimentId, 'UInt32'),
    start: bindTime(parameters, start),
    end: bindTime(parameters, end),
  };
}

/** The users who are counted. */
export function usersSql({ segmentBy, contextFilters }: Question, frame: Frame): string {
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

/** Users by version and variant; and of these by day, and by segment. */
export function versionsSql(question: Question, frame: Frame): string {
  const { segmentBy } = question;
  const sets = ['(version, variant_id)', '(version, variant_id, day)'];
  if (segmentBy !== null) sets.push('(version, variant_id, segment)');
  return `SELECT version, variant_id, toFloat64(count()) AS users, grouping(day) AS all_days,
      ${segmentBy === null ? '1' : 'grouping(segment)'} AS all_segments, day,
      ${segmentBy === null ? 'NULL AS segment' : 'segment'}
    FROM (SELECT version, variant_id, segment, ${startOf('assigned_at', 'day')} AS day
          FROM (${usersSql(question, frame)}) WHERE source != 'forced')
    GROUP BY GROUPING SETS (${sets.join(', ')})`;
}

/** New users per bucket. */
export const assignedSql = (question: Question, frame: Frame): string =>
  `SELECT variant_id AS variantId, ${startOf('assigned_at', question.series.bucket)} AS time,
     toFloat64(count()) AS users
   FROM (${usersSql(question, frame)}) GROUP BY variantId, time`;
