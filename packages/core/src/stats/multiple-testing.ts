import { tDifference } from './means/welch.ts';
import { isCount, isLevel, isPositive, type Outcome, refuse } from './outcome.ts';

/** P-values in any order; null ones are not tested: they do not count, and stay null. */
export type PValues = readonly (number | null)[];

/** How a family of p-values is adjusted. */
export type Adjustment =
  | 'bonferroni'
  /** Holm 1979: as safe as Bonferroni's, and never worse. The default. */
  | 'holm'
  /** Hochberg 1988: for independent or positively dependent tests. */
  | 'hochberg'
  /** Benjamini & Hochberg 1995: bounds the share of false discoveries; for many metrics. */
  | 'benjaminiHochberg'
  /** Benjamini & Yekutieli 2001: the same under any dependence. */
  | 'benjaminiYekutieli';

/** Factor of the p-value of rank k (from 1 on) among m. */
function factor(method: Adjustment, k: number, m: number): number {
  switch (method) {
    case 'bonferroni':
      return m;
    case 'holm':
    case 'hochberg':
      return m - k + 1;
    case 'benjaminiHochberg':
      return m / k;
    case 'benjaminiYekutieli':
      return (m / k) * harmonic(m);
  }
}

const harmonic = (m: number): number =>
  Array.from({ length: m }, (_, j) => 1 / (j + 1)).reduce((sum, value) => sum + value, 0);

/**
 * Adjusted p-values, in the order of the input, each at least the p-value itself. The family is
 * the goal metrics times the arms other than the control of one experiment.
 */
export function adjustPValues(pValues: PValues, method: Adjustment): PValues {
  const adjusted: (number | null)[] = pValues.map(() => null);
  const order = [...pValues.keys()].filter((index) => pValues[index] !== null);
  const pOf = (index: number): number => pValues[index] ?? 1;
  order.sort((a, b) => pOf(a) - pOf(b));
  const m = order.length;
  const isStepDown = method === 'holm' || method === 'bonferroni';
  // Holm's values may not fall with the rank, those of the step-up procedures may not exceed later ones.
  let running = isStepDown ? 0 : 1;
  for (let step = 0; step < m; step++) {
    const rank = isStepDown ? step : m - 1 - step;
    const index = order[rank] ?? 0;
    const raw = factor(method, rank + 1, m) * pOf(index);
    running = isStepDown ? Math.max(running, Math.min(1, raw)) : Math.min(running, raw);
    adjusted[index] = running;
  }
  return adjusted;
}

/** Holm's step-down adjustment (Holm 1979). */
export const holmAdjust = (pValues: PValues): PValues => adjustPValues(pValues, 'holm');

/**
 * Bonferroni's adjustment with weights, which lets secondary metrics never cost the primary ones
 * power: p / weight, at most 1. A weight of 0 tests nothing, its value is null.
 *
 * @param weights ≥ 0, in the order of the p-values, of a sum of at most 1
 */
export const adjustWeighted = (pValues: PValues, weights: readonly number[]): PValues =>
  pValues.map((p, index) => {
    const weight = weights[index] ?? 0;
    return p === null || weight <= 0 ? null : Math.min(1, p / weight);
  });

/** How many adjusted p-values are significant. */
export const countRejected = (adjusted: PValues, alpha: number): number =>
  adjusted.filter((p) => p !== null && p <= alpha).length;

/** Levels at which to compute the intervals of a family. */
export interface IntervalLevels {
  /** For all intervals to cover together. */
  readonly bonferroni: number;
  /**
   * For those that Benjamini & Hochberg select to cover on average (Benjamini & Yekutieli 2005);
   * null when none is selected.
   */
  readonly falseCoverageRate: number | null;
}

/** Two-sided levels of intervals that go with adjusted p-values; null without any test. */
export function intervalLevels(pValues: PValues, alpha: number): IntervalLevels | null {
  const m = pValues.filter((p) => p !== null).length;
  if (m === 0) return null;
  const selected = countRejected(adjustPValues(pValues, 'benjaminiHochberg'), alpha);
  return {
    bonferroni: alpha / m,
    falseCoverageRate: selected === 0 ? null : (selected * alpha) / m,
  };
}

/** An estimate among several that are compared. */
export interface ComparedEstimate {
  readonly estimate: number;
  readonly se: number;
  /** Infinity for the normal distribution. */
  readonly df: number;
}

/**
 * An interval that covers together with those of the other comparisons. A result that is significant
 * by Holm may have such an interval that touches zero. Refuses INVALID_INPUT and ZERO_VARIANCE.
 *
 * @param comparisons how many there are, ≥ 1
 * @param alpha two-sided, of the family
 */
export function bonferroniInterval(
  { estimate, se, df }: ComparedEstimate,
  comparisons: number,
  alpha: number,
): Outcome<{ readonly lower: number; readonly upper: number }> {
  const isValid =
    Number.isFinite(estimate) &&
    Number.isFinite(se) &&
    se >= 0 &&
    (isPositive(df) || df === Number.POSITIVE_INFINITY) &&
    isCount(comparisons) &&
    comparisons > 0 &&
    isLevel(alpha);
  if (!isValid) return refuse('INVALID_INPUT');
  if (se === 0) return refuse('ZERO_VARIANCE');
  const { lower, upper } = tDifference(estimate, se, df, alpha / comparisons);
  return { status: 'ok', lower, upper };
}
