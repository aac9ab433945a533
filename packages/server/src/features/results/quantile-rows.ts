import type { QuantileData } from '@assay/core/analysis';
import { normalIsf } from '@assay/core/stats';
import { type ArmRow, armOf } from './arm-data.ts';
import type { QuantileMetric, ResolvedMetric } from './metric.ts';
import { type Column, columnOf } from './plan.ts';
import type { ArmStatistics } from './question.ts';

/** Quantiles of the same values share their sorting: `set` is the place of the values' column. */
export interface QuantilePlan {
  readonly columns: readonly Column[];
  readonly quantiles: readonly { readonly metric: QuantileMetric; readonly set: number }[];
  /** Half the width, in standard deviations of a rank, between the ranks looked up. */
  readonly z: number;
}

/** @param alpha two-sided */
export function quantilePlanOf(metrics: readonly ResolvedMetric[], alpha: number): QuantilePlan {
  const columns = new Map<string, Column>();
  const quantiles = metrics.flatMap((metric) => {
    if (metric.kind !== 'quantile') return [];
    const column = columnOf(metric.measure, null);
    const key = JSON.stringify(column);
    columns.set(key, column);
    return [{ metric, set: [...columns.keys()].indexOf(key) }];
  });
  return { columns: [...columns.values()], quantiles, z: normalIsf(alpha / 2) };
}

/** One quantile of one arm, as both stores select it. */
export interface QuantileRow extends ArmRow {
  readonly quantile: number;
  readonly users: number;
  readonly clusters: number;
  readonly events: number;
  /** Without events these are anything. */
  readonly value: number | null;
  readonly lower: number | null;
  readonly upper: number | null;
  readonly below: number;
  readonly below_squares: number;
  readonly events_squares: number;
  readonly product: number;
}

const dataOf = (p: number, row: QuantileRow): QuantileData => ({
  kind: 'quantile',
  p,
  users: row.users,
  clusters: row.clusters,
  events: row.events,
  value: row.events === 0 ? null : row.value,
  lower: row.events === 0 ? null : row.lower,
  upper: row.events === 0 ? null : row.upper,
  sums: {
    below: row.below,
    belowSquares: row.below_squares,
    eventsSquares: row.events_squares,
    product: row.product,
  },
});

export const toQuantiles = (
  { quantiles }: QuantilePlan,
  rows: readonly QuantileRow[],
): readonly ArmStatistics[] =>
  rows.flatMap((row) => {
    const metric = quantiles[row.quantile]?.metric;
    return metric === undefined
      ? []
      : [{ ...armOf(row), metric: metric.key, data: dataOf(metric.p, row) }];
  });
