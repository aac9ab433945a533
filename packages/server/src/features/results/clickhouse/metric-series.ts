import type { SeriesPlan } from '../metric-series.ts';
import { type Column, unionOfTypes } from '../plan.ts';
import type { Question } from '../question.ts';
import { list } from '../sql-lists.ts';
import { growthSql, spreadSql, TINY, valuesSql } from '../sums.ts';
import { columnSql, fromEvents } from './events.ts';
import { bindTime, type Frame, startOf } from './sql.ts';
import { usersSql } from './users.ts';

const micros = (time: string): string => `toUnixTimestamp64Micro(${time})`;
const days = (from: string, to: string): string =>
  `((${micros(to)} - ${micros(from)}) / 86400000000)`;

const AGGREGATES = { variance: 'varPopStable', covariance: 'covarPopStable' };

/** Users with something in a bucket; `at` is the bucket. */
function cellsSql(
  question: Question,
  { plan }: SeriesPlan,
  frame: Frame,
  at: string,
  only: string,
): string {
  const { columns } = plan;
  const scan = { types: unionOfTypes(columns.map(({ types }) => types)), before: 0 };
  const marks = columns.map((column, i) => `${columnSql(column, question, frame)} AS a${i}`);
  return `SELECT user_id, variant_id, at ${list(columns.map((_, i) => `sum(a${i}) AS c${i}`))}
    FROM (SELECT u.user_id AS user_id, u.variant_id AS variant_id, ${at} AS at ${list(marks)}
      ${fromEvents(question, frame, scan)} ${only})
    GROUP BY user_id, variant_id, at`;
}

const quiet = (column: Column, sql: string): string =>
  column.aggregate === 'sum' ? `if(abs(${sql}) >= ${TINY}, ${sql}, 0.)` : sql;

/** The constants of the plan. */
const givenOf = ({ constants, caps }: SeriesPlan, { bind }: Frame): readonly string[] => [
  ...constants.map((constant, i) => `${bind(constant, 'Float64')} AS k${i}`),
  ...[...caps].map(([value, cap]) => `${bind(cap, 'Float64')} AS cap${value}`),
];

/** Of each bucket by itself. */
function withinSql(plan: SeriesPlan, frame: Frame, cells: string): string {
  const columns = plan.plan.columns.map((column, i) => `${quiet(column, `c${i}`)} AS t${i}`);
  return `SELECT variant_id, at, toFloat64(count()) AS users,
      [${spreadSql(plan.plan, AGGREGATES).join(', ')}] AS numbers
    FROM (SELECT * ${list(valuesSql(plan.plan))}
      FROM (SELECT variant_id, at ${list([...columns, ...givenOf(plan, frame)])} FROM (${cells})))
    GROUP BY variant_id, at`;
}

export const dailySql = (question: Question, plan: SeriesPlan, frame: Frame): string =>
  withinSql(plan, frame, cellsSql(question, plan, frame, startOf('e.ts', 'day'), ''));

/** By how much users, who are told apart by their running totals, grow in each day. */
export function cumulativeSql(question: Question, plan: SeriesPlan, frame: Frame): string {
  const { columns, values } = plan.plan;
  const own = 'OVER (PARTITION BY user_id ORDER BY at ROWS UNBOUNDED PRECEDING)';
  const running = columns.map((column, i) => `${quiet(column, `sum(c${i}) ${own}`)} AS t${i}`);
  const before = values.map((_, i) => `lagInFrame(v${i}, 1, 0.) ${own} AS b${i}`);
  const cells = cellsSql(question, plan, frame, startOf('e.ts', 'day'), '');
  return `SELECT variant_id, at, toFloat64(count()) AS users,
      [${growthSql(plan.plan).join(', ')}] AS numbers
    FROM (SELECT * ${list(before)} FROM (SELECT * ${list(valuesSql(plan.plan))}
      FROM (SELECT user_id, variant_id, at ${list([...running, ...givenOf(plan, frame)])}
        FROM (${cells}))))
    GROUP BY variant_id, at`;
}

const first = (user: string, { start }: Frame): string =>
  `ceil(${days(`${user}assigned_at`, start)})`;
const last = (user: string, { seriesEnd }: Question, frame: Frame): string =>
  `floor(${days(`${user}assigned_at`, bindTime(frame, seriesEnd))})`;

/**
 * The points of the series by days since the assignment. Users count in the days that lie whole
 * within the time asked for, and that are over.
 */
export function byAgeSql(question: Question, plan: SeriesPlan, frame: Frame): string {
  const at = `floor(${days('u.assigned_at', 'e.ts')})`;
  const only = `AND ${at} >= ${first('u.', frame)} AND ${at} < ${last('u.', question, frame)}`;
  return withinSql(plan, frame, cellsSql(question, plan, frame, at, only));
}

/** Users by day of assignment. */
export const dayUsersSql = (question: Question, frame: Frame): string =>
  `SELECT variant_id, ${startOf('assigned_at', 'day')} AS from_at, NULL AS to_at,
     toFloat64(count()) AS users
   FROM (${usersSql(question, frame)}) GROUP BY variant_id, from_at`;

/** Users by the days since their assignment in which they count. */
export const ageUsersSql = (question: Question, frame: Frame): string =>
  `SELECT variant_id, from_at, to_at, toFloat64(count()) AS users
   FROM (SELECT variant_id, greatest(0., ${first('', frame)}) AS from_at, ${last('', question, frame)} AS to_at
         FROM (${usersSql(question, frame)}))
   WHERE to_at > from_at GROUP BY variant_id, from_at, to_at`;
