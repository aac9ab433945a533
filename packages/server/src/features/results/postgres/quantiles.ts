import { unionOfTypes } from '../plan.ts';
import type { QuantilePlan } from '../quantile-rows.ts';
import type { Question } from '../question.ts';
import { TINY } from '../sums.ts';
import { eventsOf } from './events.ts';
import type { Frame } from './sql.ts';
import { membersSql, usersSql } from './users.ts';

/** The values of every set, of each arm, as the expression `picked`. */
function pickedSql(question: Question, { columns }: QuantilePlan, frame: Frame): string {
  const types = unionOfTypes(columns.map((column) => column.types));
  const events = eventsOf(question, frame, { columns, types, from: null });
  const values = columns.map((column, i) => `${events.columnSql(column)} AS a${i}`);
  return `picked AS MATERIALIZED (
    SELECT m.arm, number, s.set, CASE WHEN abs(s.value) >= ${TINY} THEN s.value ELSE 0 END AS value
    FROM (SELECT e.number, ${values.join(', ')} FROM ${events.sql} AS e) AS x
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
  const wanted = plan.quantiles.map(
    ({ metric: { p }, set }, index) => `(${index}, ${set}, ${float(p)}, ${float(1 - p)})`,
  );
  return `WITH ${usersSql(question, frame)}, ${membersSql(question)},
    ${pickedSql(question, plan, frame)},
    wanted (quantile, set, p, q) AS (VALUES ${wanted.join(', ')}),
    ranks AS MATERIALIZED (
      SELECT arm, set, quantile, n, (n - 1) * p AS position,
        greatest(1, floor(n * p - ${z} * sqrt(n * p * q))) AS low,
        least(n, ceil(n * p + ${z} * sqrt(n * p * q)) + 1) AS high
      FROM (SELECT arm, set, count(*)::float8 AS n FROM picked GROUP BY arm, set) c JOIN wanted USING (set)),
    places AS MATERIALIZED (
      SELECT arm, set, quantile, place, rank::bigint AS rank
      FROM ranks CROSS JOIN LATERAL (VALUES ('below', floor(position) + 1), ('above', ceil(position) + 1),
        ('low', low), ('high', high)) AS p (place, rank)),
    sorted AS (
      SELECT arm, set, value, row_number() OVER (PARTITION BY arm, set ORDER BY value) AS rank FROM picked),
    at AS (
      SELECT arm, quantile, max(value) FILTER (WHERE place = 'below') AS below,
        max(value) FILTER (WHERE place = 'above') AS above,
        max(value) FILTER (WHERE place = 'low') AS lower,
        max(value) FILTER (WHERE place = 'high') AS upper
      FROM sorted JOIN places USING (arm, set, rank) GROUP BY arm, quantile),
    found AS MATERIALIZED (
      SELECT arm, set, quantile, n, lower, upper,
        below + (above - below) * (position - floor(position)) AS value
      FROM ranks JOIN at USING (arm, quantile)),
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
