import { unionOfTypes } from '../plan.ts';
import type { QuantilePlan } from '../quantile-rows.ts';
import type { Question } from '../question.ts';
import { TINY } from '../sums.ts';
import { columnSql, fromEvents } from './events.ts';
import type { Frame } from './sql.ts';
import { membersSql, usersSql } from './users.ts';

/** The values of every set, of each arm, as the expression `picked`. */
function pickedSql(question: Question, { columns }: QuantilePlan, frame: Frame): string {
  const values = columns.map((column, i) => `${columnSql(column, question, frame)} AS a${i}`);
  const scan = { types: unionOfTypes(columns.map(({ types }) => types)), before: 0 };
  return `picked AS MATERIALIZED (
    SELECT m.arm, number, s.set, CASE WHEN abs(s.value) >= ${TINY} THEN s.value ELSE 0 END AS value
    FROM (SELECT u.number, ${values.join(', ')} ${fromEvents(question, frame, scan)}) AS x
      CROSS JOIN LATERAL (VALUES ${columns.map((_, i) => `(${i}, a${i})`).join(', ')}) AS s (set, value)
      JOIN members m USING (number)
    WHERE s.value IS NOT NULL)`;
}

/**
 * Every quantile of every arm: the value by linear interpolation, those at the ranks that bound it,
 * and sums over users of their events and of those at or below the value. The ranks are computed
 * like `orderStatisticRanks` and `sampleQuantile` do, operation by operation.
 */
export function quantilesSql(question: Question, plan: QuantilePlan, frame: Frame): string {
  const float = (value: number): string => frame.bind(value, 'float8');
  const z = float(plan.z);
  const wanted = plan.quantiles.map(({ metric, set }, index) => {
    const slot = plan.quantiles.slice(0, index).filter((other) => other.set === set).length;
    return `(${index}, ${set}, ${slot}, ${float(metric.p)}, ${float(1 - metric.p)})`;
  });
  // A share between two ranks, so that percentile_disc takes exactly the one.
  const ranks = ['floor(position) + 1', 'ceil(position) + 1', 'low', 'high']
    .map((rank, index) => `(${index}, (${rank} - 0.5) / n)`)
    .join(', ');
  return `WITH ${usersSql(question, frame)}, ${membersSql(question)},
    ${pickedSql(question, plan, frame)},
    wanted (quantile, set, slot, p, q) AS (VALUES ${wanted.join(', ')}),
    ranks AS MATERIALIZED (
      SELECT arm, set, quantile, slot, n, (n - 1) * p AS position,
        greatest(1, floor(n * p - ${z} * sqrt(n * p * q))) AS low,
        least(n, ceil(n * p + ${z} * sqrt(n * p * q)) + 1) AS high
      FROM (SELECT arm, set, count(*)::float8 AS n FROM picked GROUP BY arm, set) c JOIN wanted USING (set)),
    shares AS MATERIALIZED (
      SELECT arm, set, array_agg(share ORDER BY slot, place) AS list
      FROM ranks CROSS JOIN LATERAL (VALUES ${ranks}) AS s (place, share) GROUP BY arm, set),
    sorted AS MATERIALIZED (
      SELECT arm, set, percentile_disc((SELECT list FROM shares s WHERE s.arm = p.arm AND s.set = p.set))
        WITHIN GROUP (ORDER BY value) AS at
      FROM picked p GROUP BY arm, set),
    found AS MATERIALIZED (
      SELECT arm, set, quantile, n,
        at[4 * slot + 1] + (at[4 * slot + 2] - at[4 * slot + 1]) * (position - floor(position)) AS value,
        at[4 * slot + 3] AS lower, at[4 * slot + 4] AS upper
      FROM ranks JOIN sorted USING (arm, set)),
    clusters AS (
      SELECT arm, quantile, number, count(*)::float8 AS events,
        (count(*) FILTER (WHERE p.value <= f.value))::float8 AS below
      FROM picked p JOIN found f USING (arm, set) GROUP BY arm, quantile, number),
    sums AS (
      SELECT arm, quantile, count(*)::float8 AS clusters, sum(below) AS below,
        sum(below * below) AS below_squares, sum(events * events) AS events_squares,
        sum(below * events) AS product
      FROM clusters GROUP BY arm, quantile)
    SELECT variant_id, is_whole, segment, w.quantile, users, coalesce(clusters, 0) AS clusters,
      coalesce(n, 0) AS events, value, lower, upper, coalesce(below, 0) AS below,
      coalesce(below_squares, 0) AS below_squares, coalesce(events_squares, 0) AS events_squares,
      coalesce(product, 0) AS product
    FROM (SELECT arm, variant_id, is_whole, segment, count(*)::float8 AS users
          FROM members GROUP BY arm, variant_id, is_whole, segment) AS arms
      CROSS JOIN wanted w LEFT JOIN found USING (arm, quantile) LEFT JOIN sums USING (arm, quantile)`;
}
