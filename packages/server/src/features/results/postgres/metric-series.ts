import type { SeriesPlan } from '../metric-series.ts';
import { type Column, unionOfTypes } from '../plan.ts';
import type { MetricSeries, Question } from '../question.ts';
import { list } from '../sql-lists.ts';
import { growthSql, spreadSql, TINY, valuesSql } from '../sums.ts';
import { eventsOf } from './events.ts';
import { allRows, arrayOf, bucketOf, type Frame, seconds } from './sql.ts';
import { usersSql } from './users.ts';

const days = (from: string, to: string): string => `extract(epoch FROM ${to} - ${from}) / 86400`;

const AGGREGATES = { variance: 'var_pop', covariance: 'covar_pop' };

/** Users with something in a bucket, as the expression `cells`; `at` is the bucket. */
function cellsSql(
  question: Question,
  { plan }: SeriesPlan,
  frame: Frame,
  at: string,
  only: string,
): string {
  const { columns } = plan;
  const types = unionOfTypes(columns.map((column) => column.types));
  const events = eventsOf(question, frame, { columns, types, from: null });
  const marks = columns.map((column, i) => `${events.columnSql(column)} AS a${i}`);
  const sums = columns.map(({ aggregate }, i) =>
    aggregate === 'sum' ? `coalesce(sum(a${i}), 0) AS c${i}` : `count(a${i})::float8 AS c${i}`,
  );
  return `cells AS MATERIALIZED (
    SELECT number, variant_id, at ${list(sums)}
    FROM (SELECT e.number, e.variant_id, ${at} AS at ${list(marks)}
      FROM ${events.sql} AS e ${only}) AS x
    GROUP BY number, variant_id, at)`;
}

/** The constants of the plan as the expression `given`. */
function givenSql({ constants, caps }: SeriesPlan, { bind }: Frame): string {
  const named = [
    ...constants.map((constant, i) => `${bind(constant, 'float8')} AS k${i}`),
    ...[...caps].map(([value, cap]) => `${bind(cap, 'float8')} AS cap${value}`),
  ];
  return `given AS (SELECT now() ${list(named)})`;
}

const quiet = (column: Column, sql: string): string =>
  column.aggregate === 'sum' ? `CASE WHEN abs(${sql}) >= ${TINY} THEN ${sql} ELSE 0 END` : sql;

/** Of each bucket by itself. */
function withinSql({ plan }: SeriesPlan, at: string): string {
  const columns = plan.columns.map((column, i) => `${quiet(column, `c${i}`)} AS t${i}`);
  return `SELECT variant_id, ${at} AS at, count(*)::float8 AS users,
      ${arrayOf(spreadSql(plan, AGGREGATES))} AS numbers
    FROM (SELECT variant_id, at, given.* ${list(valuesSql(plan))}
      FROM (SELECT variant_id, at ${list(columns)} FROM cells) AS x, given) AS y
    GROUP BY variant_id, at`;
}

/** By how much users, who are told apart by their running totals, grow in each bucket. */
function growthOf({ plan }: SeriesPlan): string {
  const running = plan.columns.map(
    (column, i) => `${quiet(column, `sum(c${i}) OVER own`)} AS t${i}`,
  );
  const before = plan.values.map((_, i) => `lag(v${i}, 1, 0::float8) OVER own AS b${i}`);
  return `SELECT variant_id, ${seconds('at')} AS at, count(*)::float8 AS users,
      ${arrayOf(growthSql(plan))} AS numbers
    FROM (SELECT * ${list(before)} FROM (
        SELECT number, variant_id, at, given.* ${list(valuesSql(plan))}
        FROM (SELECT number, variant_id, at ${list(running)} FROM cells
          WINDOW own AS (PARTITION BY number ORDER BY at)) AS x, given) AS y
      WINDOW own AS (PARTITION BY number ORDER BY at)) AS z
    GROUP BY variant_id, at`;
}

/** The points of the series by day that are wanted, and the users by day of assignment. */
export function seriesByDaySql(question: Question, plan: SeriesPlan, frame: Frame): string {
  const wants = (series: MetricSeries): boolean => question.metricSeries.includes(series);
  const at = bucketOf('e.ts', 'day');
  const none = `'[]'::json`;
  return `WITH ${usersSql(question, frame)}, ${cellsSql(question, plan, frame, at, '')},
    ${givenSql(plan, frame)}
    SELECT ${wants('daily') ? allRows(withinSql(plan, seconds('at'))) : none} AS daily,
      ${wants('cumulative') ? allRows(growthOf(plan)) : none} AS cumulative,
      ${allRows(`SELECT variant_id, ${seconds(bucketOf('assigned_at', 'day'))} AS from_at,
        NULL AS to_at, count(*)::float8 AS users FROM users GROUP BY 1, 2`)} AS spans`;
}

/**
 * The points of the series by days since the assignment. Users count in the days that lie whole
 * within the time asked for, and that are over.
 */
export function seriesByAgeSql(question: Question, plan: SeriesPlan, frame: Frame): string {
  const first = (user: string): string => `ceil(${days(`${user}assigned_at`, frame.start)})`;
  const lived = frame.bind(question.seriesEnd, 'timestamptz');
  const last = (user: string): string => `floor(${days(`${user}assigned_at`, lived)})`;
  const at = `floor(${days('e.assigned_at', 'e.ts')})`;
  const only = `WHERE ${at} >= ${first('e.')} AND ${at} < ${last('e.')}`;
  return `WITH ${usersSql(question, frame)}, ${cellsSql(question, plan, frame, at, only)},
    ${givenSql(plan, frame)}
    SELECT ${allRows(withinSql(plan, 'at::float8'))} AS points,
      ${allRows(`SELECT variant_id, from_at, to_at, count(*)::float8 AS users
        FROM (SELECT variant_id, greatest(0, ${first('')})::float8 AS from_at, ${last('')}::float8 AS to_at
              FROM users) AS x
        WHERE to_at > from_at GROUP BY 1, 2, 3`)} AS spans`;
}
