import { type Column, type Plan, unionOfTypes } from '../plan.ts';
import { ARMS_MAX, type Question, SERIES_ROWS_MAX } from '../question.ts';
import { list, once } from '../sql-lists.ts';
import { capNames, constantNames, constantsSql, sumsSql, TINY, valuesSql } from '../sums.ts';
import { eventsOf, isAfterSql } from './events.ts';
import { arrayOf, bucketOf, type Frame, seconds } from './sql.ts';
import { armsSql } from './users.ts';

// One pass over the events: cells of user, bucket of the time series and type, of which both the
// series and the metrics are sums. Sorting for count(DISTINCT) would take three times as long.

/** Whether a column is a sum over whole cells: nothing but the type tells its events. */
const isOfCells = ({ filters, property, from, to, before }: Column): boolean =>
  filters.length === 0 && property === null && from === null && to === null && before === null;

const CELL_OF = { count: 'events', valued: 'valued', sum: 'total' } as const;

/** Events by user, bucket (null outside of the series) and type, as the expression `cells`. */
function cellsSql(question: Question, plan: Plan, frame: Frame, from: string | null): string {
  const { series, eventTypes } = question;
  const { columns } = plan;
  const special = columns.flatMap((column, index) =>
    isOfCells(column) ? [] : [{ column, name: `a${index}` }],
  );
  const types = unionOfTypes([eventTypes, ...columns.map((column) => column.types)]);
  const events = eventsOf(question, frame, {
    columns: special.map(({ column }) => column),
    types,
    from,
  });
  const bucket = `CASE WHEN e.ts >= ${frame.bind(series.start, 'timestamptz')}
    THEN ${bucketOf('e.ts', series.bucket)} END`;
  // Without covariates all of the events lie after the assignment.
  const isBoth = columns.some(({ before }) => before !== null);
  const after = isAfterSql(frame);
  const times = isBoth
    ? `CASE WHEN ${after} THEN ${bucket} END AS bucket, ${after} AS after`
    : `${bucket} AS bucket`;
  const marks = special.map(({ column, name }) => `${events.columnSql(column)} AS ${name}`);
  const sums = special.map(({ column, name }) =>
    column.aggregate === 'sum' ? `sum(${name}) AS ${name}` : `count(${name})::float8 AS ${name}`,
  );
  const only = isBoth ? 'FILTER (WHERE after)' : '';
  return `counted AS (
      SELECT e.number, e.variant_id, e.type, e.value, ${times} ${list(marks)} FROM ${events.sql} AS e),
    cells AS MATERIALIZED (
      SELECT number, variant_id, bucket, type, (count(*) ${only})::float8 AS events,
        (count(value) ${only})::float8 AS valued, sum(value) ${only} AS total ${list(sums)}
      FROM counted GROUP BY number, variant_id, bucket, type)`;
}

/** A column of a user as a sum over their cells. */
function totalSql(column: Column, index: number, frame: Frame): string {
  const { types, aggregate } = column;
  if (!isOfCells(column)) return `sum(a${index}) AS t${index}`;
  const only =
    types === undefined ? '' : `FILTER (WHERE type = ANY (${frame.bind(types, 'text[]')}))`;
  return `sum(${CELL_OF[aggregate]}) ${only} AS t${index}`;
}

/** A column of every user; sums so small that their square would underflow are zero. */
const columnOfUser = ({ aggregate }: Column, index: number): string =>
  aggregate === 'sum'
    ? `CASE WHEN abs(t${index}) >= ${TINY} THEN t${index} ELSE 0 END AS t${index}`
    : `coalesce(t${index}, 0) AS t${index}`;

const capsSql = ({ values }: Plan, frame: Frame): readonly string[] =>
  values.flatMap(({ column, cap }, index) => {
    if (cap === null) return [];
    const sql =
      cap.kind === 'value'
        ? frame.bind(cap.value, 'float8')
        : `percentile_cont(${frame.bind(cap.percentile / 100, 'float8')}) WITHIN GROUP (ORDER BY t${column})`;
    return [`${sql} AS cap${index}`];
  });

/**
 * The expressions from the events to the values of every user, all beside `users`.
 *
 * @param from events from here on are read; null: from the question's start
 */
export function measuresSql(
  question: Question,
  plan: Plan,
  frame: Frame,
  from: string | null,
): readonly string[] {
  const { columns } = plan;
  return [
    cellsSql(question, plan, frame, from),
    `totals AS MATERIALIZED (
      SELECT u.variant_id, u.segment ${list(columns.map(columnOfUser))}
      FROM users u LEFT JOIN (
        SELECT number ${list(columns.map((column, index) => totalSql(column, index, frame)))}
        FROM cells GROUP BY number) c USING (number))`,
    `caps AS (SELECT count(*) ${list(capsSql(plan, frame))} FROM totals)`,
    `valued AS MATERIALIZED (
      SELECT variant_id, segment ${list(valuesSql(plan))}
      FROM totals, caps)`,
    `constants AS (
      SELECT count(*) ${list(constantsSql(plan))} FROM valued)`,
  ];
}

/** The sums of every arm. */
export function armSumsSql(question: Question, plan: Plan): string {
  const { select, groups } = armsSql(question);
  return `SELECT ${select}, count(*)::float8 AS users, ${arrayOf(sumsSql(plan))} AS sums,
      ${arrayOf(constantNames(plan).map(once))} AS constants,
      ${arrayOf(capNames(plan).map(once))} AS caps
    FROM valued, constants, caps GROUP BY ${groups} LIMIT ${ARMS_MAX + 1}`;
}

/** Events and users of each bucket and type. */
export function seriesSql({ eventTypes }: Question, frame: Frame): string {
  const only =
    eventTypes === undefined ? '' : `AND type = ANY (${frame.bind(eventTypes, 'text[]')})`;
  return `SELECT variant_id AS "variantId", ${seconds('bucket')} AS time, type AS "eventType",
      sum(events) AS count, count(*)::float8 AS users
    FROM cells WHERE bucket IS NOT NULL ${only}
    GROUP BY variant_id, bucket, type ORDER BY bucket, type, variant_id LIMIT ${SERIES_ROWS_MAX + 1}`;
}
