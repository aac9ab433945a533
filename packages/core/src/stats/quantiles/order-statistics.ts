import { binomialCdf, binomialQuantile } from '../distributions/binomial.ts';
import { normalIsf } from '../distributions/normal.ts';
import { isCount, isLevel, type Outcome, refuse } from '../outcome.ts';

/**
 * The quantile of sorted values by linear interpolation (type 7 of Hyndman & Fan 1996), which is
 * SQL's PERCENTILE_CONT; null of no values.
 *
 * @param sorted ascending
 * @param p 0…1
 */
export function sampleQuantile(sorted: readonly number[], p: number): number | null {
  const position = (sorted.length - 1) * p;
  const below = sorted[Math.floor(position)];
  const above = sorted[Math.ceil(position)];
  if (below === undefined || above === undefined) return null;
  return below + (above - below) * (position - Math.floor(position));
}

/** Ranks, from 1 on, of the sorted values between which a quantile lies. */
export interface QuantileRanks {
  /** By the normal approximation, kept within 1…n. */
  readonly normalLower: number;
  readonly normalUpper: number;
  /** 0 when the data set no lower limit. */
  readonly exactLower: number;
  /** n + 1 when the data set no upper limit. */
  readonly exactUpper: number;
  /** Of the exact ranks; at least 1 − alpha. */
  readonly exactCoverage: number;
}

/**
 * The ranks by the normal approximation alone, which cost next to nothing.
 *
 * @param n ≥ 1
 */
export function normalRanks(
  n: number,
  p: number,
  alpha: number,
): Pick<QuantileRanks, 'normalLower' | 'normalUpper'> {
  const half = normalIsf(alpha / 2) * Math.sqrt(n * p * (1 - p));
  return {
    normalLower: Math.max(1, Math.floor(n * p - half)),
    normalUpper: Math.min(n, Math.ceil(n * p + half) + 1),
  };
}

/** Why there are no ranks, or null. */
export function ranksRefusal(n: number, p: number, alpha: number) {
  if (!isCount(n) || !isLevel(p) || !isLevel(alpha)) return 'INVALID_INPUT';
  return n === 0 ? 'NO_UNITS' : null;
}

/**
 * Which order statistics bound the quantile p of n independent values (David & Nagaraja 2003, §7.1).
 * Refuses INVALID_INPUT and NO_UNITS.
 *
 * @param p 0 < p < 1
 * @param alpha two-sided, 0 < alpha < 1
 */
export function orderStatisticRanks(n: number, p: number, alpha: number): Outcome<QuantileRanks> {
  const refusal = ranksRefusal(n, p, alpha);
  if (refusal !== null) return refuse(refusal);
  const exactLower = binomialQuantile(alpha / 2, n, p);
  const exactUpper = binomialQuantile(1 - alpha / 2, n, p) + 1;
  return {
    status: 'ok',
    ...normalRanks(n, p, alpha),
    exactLower,
    exactUpper,
    exactCoverage: binomialCdf(exactUpper - 1, n, p) - binomialCdf(exactLower - 1, n, p),
  };
}
