import { type ArmData, isRounding } from '@assay/core/analysis';
import { type JointMoments, jointMomentsFromSums } from '@assay/core/stats';
import type { Plan, PlannedMetric } from './plan.ts';
import type { ArmOf, ArmStatistics, ArmUsers, MetricCaps } from './question.ts';
import { capNames, layoutOf, type MetricSums, widthOf } from './sums.ts';

// What the rows of both stores mean.

/** An arm as both stores select it. */
export interface ArmRow {
  readonly variant_id: number;
  /** 1: all segments together. */
  readonly is_whole: number;
  readonly segment: string | null;
}

export interface SumsRow extends ArmRow {
  readonly users: number;
  /** In the order of `sumsSql`. */
  readonly sums: readonly number[];
  readonly constants: readonly number[];
  readonly caps: readonly number[];
}

export const armOf = ({ variant_id, is_whole, segment }: ArmRow): ArmOf =>
  is_whole === 1 ? { variantId: variant_id } : { variantId: variant_id, segment };

/** The numbers of one metric, of n users. */
export interface Numbers {
  readonly n: number;
  readonly totals: readonly number[];
  /** Sums, or means, of the components. */
  readonly firsts: readonly number[];
  /** Of products, or covariances, for i ≤ j, row by row. */
  readonly seconds: readonly number[];
}

/** Takes apart what a store selected for every metric of a plan. */
export function numbersOf(plan: Plan, n: number, list: readonly number[]): readonly Numbers[] {
  let next = 0;
  return layoutOf(plan).metrics.map((sums) => {
    const numbers = list.slice(next, next + widthOf(sums));
    next += widthOf(sums);
    const [from, to] = [sums.totals.length, sums.totals.length + sums.parts.length];
    return {
      n,
      totals: numbers.slice(0, from),
      firsts: numbers.slice(from, to),
      seconds: numbers.slice(to),
    };
  });
}

/** A symmetric matrix out of its rows from the diagonal on. */
export function symmetric(width: number, upper: readonly number[]): number[][] {
  const at = (i: number, j: number): number =>
    upper[i * width - (i * (i - 1)) / 2 + j - i] ?? Number.NaN;
  return Array.from({ length: width }, (_, i) =>
    Array.from({ length: width }, (_, j) => (i < j ? at(i, j) : at(j, i))),
  );
}

/** Moments of n users who have nothing of anything. */
export const zeroMoments = (n: number, width: number): JointMoments => ({
  n,
  mean: Array<number>(width).fill(0),
  products: Array.from({ length: width }, () => Array<number>(width).fill(0)),
});

/**
 * Moments where what can only be rounding is zero: of equal values nothing else is left, and it
 * would make p-values of noise.
 *
 * @param sizes how large a user's terms of each component are
 * @param terms the sums of squares that the variances were subtracted from, if they were
 */
export function withoutNoise(
  { n, mean, products }: JointMoments,
  sizes: readonly number[],
  terms?: readonly number[],
): JointMoments {
  const isConstant = mean.map((_, i) => {
    const m2 = products[i]?.[i] ?? 0;
    return isRounding(m2 / n, sizes[i] ?? 0, (terms?.[i] ?? 0) / n);
  });
  const quiet = products.map((row, i) =>
    row.map((product, j) => (isConstant[i] || isConstant[j] ? 0 : product)),
  );
  return { n, mean, products: quiet };
}

/** How large the terms of each component are, on average. Those of a residual are not its mean. */
export function sizesOf(
  { parts }: MetricSums,
  numerator: number,
  means: readonly number[],
  constants: readonly number[],
): readonly number[] {
  return parts.map(({ residual, shift }, i) => {
    if (residual === null || shift !== null) return means[i] ?? 0;
    return i === 0 ? numerator : (constants[residual.about] ?? 0) * (means[i + 1] ?? 0);
  });
}

/** Joint moments out of sums of deviations from the constants. */
export function momentsOf(
  sums: MetricSums,
  { n, totals, firsts, seconds }: Numbers,
  constants: readonly number[],
): JointMoments {
  const shifts = sums.parts.map(({ shift }) => (shift === null ? 0 : (constants[shift] ?? 0)));
  const products = symmetric(firsts.length, seconds);
  const moments = jointMomentsFromSums(n, firsts, products, shifts);
  const terms = products.map((row, i) => row[i] ?? 0);
  return withoutNoise(moments, sizesOf(sums, (totals[0] ?? 0) / n, moments.mean, constants), terms);
}

/** The sufficient statistics of a metric out of its totals and moments. */
export function armDataOf(
  { metric }: PlannedMetric,
  { parts }: MetricSums,
  { n, totals }: Pick<Numbers, 'n' | 'totals'>,
  moments: JointMoments,
  constants: readonly number[],
): ArmData {
  const [numerator = 0, denominator = 0] = totals;
  const ratioOf = (place: number): number => {
    const residual = parts[place]?.residual;
    return residual === undefined || residual === null ? 0 : (constants[residual.about] ?? 0);
  };
  switch (metric.kind) {
    case 'rate':
      return { kind: 'rate', n, x: numerator, joint: parts.length === 0 ? null : moments };
    case 'mean':
      return { kind: 'mean', total: numerator, moments };
    case 'ratio':
      return {
        kind: 'ratio',
        numerator,
        denominator,
        about: ratioOf(0),
        aboutBefore: ratioOf(2),
        moments,
      };
  }
}

/** Every metric of the plan in every arm. */
export function toArms(plan: Plan, rows: readonly SumsRow[]): readonly ArmStatistics[] {
  const layout = layoutOf(plan);
  return rows.flatMap((row) =>
    numbersOf(plan, row.users, row.sums).flatMap((numbers, index) => {
      const planned = plan.metrics[index];
      const sums = layout.metrics[index];
      if (planned === undefined || sums === undefined) return [];
      const moments = momentsOf(sums, numbers, row.constants);
      const data = armDataOf(planned, sums, numbers, moments, row.constants);
      return [{ ...armOf(row), metric: planned.metric.key, data }];
    }),
  );
}

export const toUsers = (rows: readonly SumsRow[]): readonly ArmUsers[] =>
  rows.map((row) => ({ ...armOf(row), users: row.users }));

/** What the totals were cut to; the same in every arm. */
export function toCaps(plan: Plan, rows: readonly SumsRow[]): readonly MetricCaps[] {
  const names = capNames(plan);
  const capOf = (value: number | null): number | null => {
    const place = names.indexOf(`cap${value}`);
    return place === -1 ? null : (rows[0]?.caps[place] ?? null);
  };
  return plan.metrics
    .filter(({ metric }) => metric.cap !== null && metric.kind !== 'rate')
    .map((planned) => ({
      metric: planned.metric.key,
      numerator: capOf(planned.value),
      denominator: 'denominator' in planned ? capOf(planned.denominator) : null,
      numeratorBefore: capOf(planned.valueBefore),
      denominatorBefore: 'denominator' in planned ? capOf(planned.denominatorBefore) : null,
    }));
}
