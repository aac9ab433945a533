import type { PlannedFunnel } from '../funnel-rows.ts';
import { unionOfTypes } from '../plan.ts';
import { ARMS_MAX, type Question } from '../question.ts';
import { list } from '../sql-lists.ts';
import { conditionSql, fromEvents } from './events.ts';
import type { Frame } from './sql.ts';
import { armsSql, usersSql } from './users.ts';

/** Later than any event, in microseconds: a step that was not done. */
const NEVER = '9000000000000000000';

/**
 * Users of each arm who reached each step of each funnel. A user's time of a step is that of its
 * first event not before the time of the step before it.
 */
export function funnelsSql(
  question: Question,
  funnels: readonly PlannedFunnel[],
  frame: Frame,
): string {
  const { select, groups } = armsSql(question);
  const places = funnels.flatMap(({ steps }, f) =>
    steps.map((column, s) => ({ column, f, s, name: `${f}_${s}` })),
  );
  const scan = { types: unionOfTypes(places.map(({ column }) => column.types)), before: 0 };
  const marks = places.map(
    ({ column, name }) => `(${conditionSql(column, question, frame)}) AS m${name}`,
  );
  const times = `SELECT variant_id, segment
      ${list(places.map(({ name }) => `groupArrayIf(ts, m${name}) AS times${name}`))} FROM (
      SELECT user_id, variant_id, segment, toInt64(0) AS ts
        ${list(places.map(({ name }) => `toUInt8(0) AS m${name}`))}
      FROM (${usersSql(question, frame)})
      UNION ALL
      SELECT u.user_id, u.variant_id, u.segment, toUnixTimestamp64Micro(e.ts) ${list(marks)}
      ${fromEvents(question, frame, scan)})
    GROUP BY user_id, variant_id, segment`;
  // One select a step, each taking the times of the step before as they stand.
  const depth = Math.max(...funnels.map(({ steps }) => steps.length));
  const reached = Array.from({ length: depth }, (_, step) =>
    places
      .filter(({ s }) => s === step)
      .map(({ f, s, name }) => {
        const later =
          s === 0 ? `times${name}` : `arrayFilter(x -> x >= done${f}_${s - 1}, times${name})`;
        return `arrayMin(arrayPushBack(${later}, toInt64(${NEVER}))) AS done${name}`;
      }),
  ).reduce((from, step) => `SELECT * ${list(step)} FROM (${from})`, times);
  return `SELECT ${select}, toFloat64(count()) AS users,
      [${places.map(({ name }) => `toFloat64(countIf(done${name} < ${NEVER}))`).join(', ')}] AS reached
    FROM (${reached}) GROUP BY ${groups} LIMIT ${ARMS_MAX + 1}`;
}
