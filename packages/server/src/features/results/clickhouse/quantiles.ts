import type { ArmRow } from '../arm-data.ts';
import { unionOfTypes } from '../plan.ts';
import type { QuantilePlan, QuantileRow } from '../quantile-rows.ts';
import { ARMS_MAX, type Question } from '../question.ts';
import { list } from '../sql-lists.ts';
import { TINY } from '../sums.ts';
import { conditionSql, fromEvents, valueSql } from './events.ts';
import type { Frame } from './sql.ts';
import { armsSql, usersSql } from './users.ts';

/** Every user with the values of their events, a list for each set. */
function valuesOfUsers(question: Question, { columns }: QuantilePlan, frame: Frame): string {
  const scan = { types: unionOfTypes(columns.map(({ types }) => types)), before: 0 };
  const ofEvent = columns.map((column, i) => {
    const value = valueSql(column, frame);
    return `if(${conditionSql(column, question, frame)},
      if(abs(${value}) >= ${TINY}, ${value}, abs(${value}) * 0), NULL) AS a${i}`;
  });
  // groupArray leaves out what is null.
  return `SELECT variant_id, segment ${list(columns.map((_, i) => `groupArray(a${i}) AS c${i}`))} FROM (
      SELECT user_id, variant_id, segment
        ${list(columns.map((_, i) => `CAST(NULL AS Nullable(Float64)) AS a${i}`))}
      FROM (${usersSql(question, frame)})
      UNION ALL
      SELECT u.user_id, u.variant_id, u.segment ${list(ofEvent)} ${fromEvents(question, frame, scan)})
    GROUP BY user_id, variant_id, segment`;
}

/**
 * Every quantile of every arm as one list of numbers `q0`, `q1` …, see {@link toQuantileRows}: the
 * value by linear interpolation, those at the ranks that bound it, and sums over users of their
 * events and of those at or below the value. The ranks are computed like `orderStatisticRanks` and
 * `sampleQuantile` do, operation by operation.
 */
export function quantilesSql(question: Question, plan: QuantilePlan, frame: Frame): string {
  const { columns, quantiles } = plan;
  const { select, groups } = armsSql(question);
  const float = (value: number): string => frame.bind(value, 'Float64');
  const z = float(plan.z);
  const clusters = `SELECT ${select}, toFloat64(count()) AS users
      ${list(columns.map((_, i) => `groupArrayIf(c${i}, notEmpty(c${i})) AS clusters${i}`))}
    FROM (${valuesOfUsers(question, plan, frame)}) GROUP BY ${groups} LIMIT ${ARMS_MAX + 1}`;
  const sorted = `SELECT * ${list(
    columns.map(
      (_, i) => `arraySort(arrayFlatten(clusters${i})) AS sorted${i},
        toFloat64(length(sorted${i})) AS n${i}`,
    ),
  )} FROM (${clusters})`;
  const found = quantiles.flatMap(({ metric, set }, i) => {
    const [n, p, q] = [`n${set}`, float(metric.p), float(1 - metric.p)];
    const at = (rank: string): string => `sorted${set}[toInt64(${rank})]`;
    const position = `((${n} - 1) * ${p})`;
    const half = `${z} * sqrt(${n} * ${p} * ${q})`;
    const [below, above] = [at(`floor${position} + 1`), at(`ceil${position} + 1`)];
    return [
      `${below} + (${above} - ${below}) * (${position} - floor${position}) AS value${i}`,
      `${at(`greatest(1, floor(${n} * ${p} - ${half}))`)} AS lower${i}`,
      `${at(`least(${n}, ceil(${n} * ${p} + ${half}) + 1)`)} AS upper${i}`,
    ];
  });
  const counted = quantiles.flatMap(({ set }, i) => [
    `arrayMap(c -> toFloat64(arrayCount(x -> x <= value${i}, c)), clusters${set}) AS below${i}`,
    `arrayMap(c -> toFloat64(length(c)), clusters${set}) AS events${i}`,
  ]);
  const numbers = quantiles.map(({ set }, i) => {
    const [b, e] = [`below${i}`, `events${i}`];
    const product = (x: string, y: string): string => `arraySum((x, y) -> x * y, ${x}, ${y})`;
    return `[toFloat64(length(clusters${set})), n${set}, value${i}, lower${i}, upper${i},
      arraySum(${b}), ${product(b, b)}, ${product(e, e)}, ${product(b, e)}] AS q${i}`;
  });
  return `SELECT variant_id, is_whole, segment, users ${list(numbers)}
    FROM (SELECT * ${list(counted)} FROM (SELECT * ${list(found)} FROM (${sorted})))`;
}

/** One arm with the lists of {@link quantilesSql}. */
export interface QuantilesOfArm extends ArmRow {
  readonly users: number;
  readonly [quantile: `q${number}`]: readonly number[];
}

export const toQuantileRows = (
  rows: readonly QuantilesOfArm[],
  plan: QuantilePlan,
): QuantileRow[] =>
  rows.flatMap((row) =>
    plan.quantiles.map((_, quantile) => {
      const numbers = row[`q${quantile}`] ?? [];
      const [clusters = 0, events = 0, value = null, lower = null, upper = null] = numbers;
      const [below = 0, below_squares = 0, events_squares = 0, product = 0] = numbers.slice(5);
      const { variant_id, is_whole, segment, users } = row;
      return {
        variant_id,
        is_whole,
        segment,
        users,
        quantile,
        clusters,
        events,
        value,
        lower,
        upper,
        below,
        below_squares,
        events_squares,
        product,
      };
    }),
  );
