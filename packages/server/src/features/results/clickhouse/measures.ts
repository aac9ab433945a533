import { type Column, type Plan, unionOfTypes } from '../plan.ts';
import { ARMS_MAX, type Question, SERIES_ROWS_MAX } from '../question.ts';
import { list, once } from '../sql-lists.ts';
import { capNames, constantNames, constantsSql, sumsSql, TINY, valuesSql } from '../sums.ts';
import { columnSql, fromEvents } from './events.ts';
import { bindTime, type Frame, startOf } from './sql.ts';
import { armsSql, usersSql } from './users.ts';

/** Users and their events in one stream, grouped by user: cheaper than an outer join. */
function totalsSql(question: Question, { columns }: Plan, frame: Frame): string {
  const scan = {
    types: unionOfTypes(columns.map(({ types }) => types)),
    before: Math.max(0, ...columns.map(({ before }) => before ?? 0)),
  };
  const ofEvent = columns.map((column, i) => `${columnSql(column, question, frame)} AS e${i}`);
  const ofUser = ({ aggregate }: Column, i: number): string =>
    aggregate === 'sum'
      ? `if(abs(sum(e${i})) >= ${TINY}, sum(e${i}), 0.) AS t${i}`
      : `sum(e${i}) AS t${i}`;
  return `SELECT variant_id, segment ${list(columns.map(ofUser))} FROM (
      SELECT user_id, variant_id, segment ${list(columns.map((_, i) => `0. AS e${i}`))}
      FROM (${usersSql(question, frame)})
      UNION ALL
      SELECT u.user_id, u.variant_id, u.segment ${list(ofEvent)}
      ${fromEvents(question, frame, scan)})
    GROUP BY user_id, variant_id, segment`;
}

const capsSql = ({ values }: Plan, frame: Frame): readonly string[] =>
  values.flatMap(({ column, cap }, index) => {
    if (cap === null) return [];
    const sql =
      cap.kind === 'value'
        ? frame.bind(cap.value, 'Float64')
        : `quantileExactInclusive(${cap.percentile / 100})(t${column}) OVER ()`;
    return [`${sql} AS cap${index}`];
  });

/** The sums of every arm. */
export function armSumsSql(question: Question, plan: Plan, frame: Frame): string {
  const { select, groups } = armsSql(question);
  const caps = capNames(plan);
  const constants = constantNames(plan);
  const capped = `SELECT * ${list(capsSql(plan, frame))} FROM (${totalsSql(question, plan, frame)})`;
  const valued = `SELECT variant_id, segment ${list([...valuesSql(plan), ...caps])}
    FROM (${capped})`;
  const shifted = `SELECT * ${list(constantsSql(plan, 'OVER ()'))} FROM (${valued})`;
  return `SELECT ${select}, toFloat64(count()) AS users, [${sumsSql(plan).join(', ')}] AS sums,
      [${constants.map(once).join(', ')}] AS constants, [${caps.map(once).join(', ')}] AS caps
    FROM (${shifted}) GROUP BY ${groups} LIMIT ${ARMS_MAX + 1}`;
}

/** Events and users of each bucket and type. */
export function seriesSql(question: Question, frame: Frame): string {
  const scan = { types: question.eventTypes, before: 0 };
  const start = bindTime(frame, question.series.start);
  return `SELECT variant_id AS variantId, ${startOf('ts', question.series.bucket)} AS time,
      type AS eventType, toFloat64(count()) AS count, toFloat64(uniqExact(user_id)) AS users
    FROM (SELECT u.user_id AS user_id, u.variant_id AS variant_id, e.type AS type, e.ts AS ts
      ${fromEvents(question, frame, scan)} AND e.ts >= ${start})
    GROUP BY variantId, time, eventType ORDER BY time, eventType, variantId
    LIMIT ${SERIES_ROWS_MAX + 1}`;
}
