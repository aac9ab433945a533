import { binomialAcceptance, ksUniform } from '../stats/index.ts';
import type { Finding, MetricCalibration, RecalibrationOptions } from './types.ts';

/** The chance, at most, that a method which keeps its level is said to be outside. */
const FALSE_ALARM = 0.001;
/** So many p-values of a hundred may repeat before their distribution is no continuous one. */
const REPEATS_MAX = 0.05;

/** What was counted of one metric. */
export interface Tally {
  readonly key: string;
  readonly users: number;
  /** Of all users together; null where it has none. */
  readonly pooled: number | null;
  /** Of users given, a quantile can only be one of a few values: its p-values are not uniform. */
  readonly isQuantile: boolean;
  concluded: number;
  rejected: number;
  covered: number;
  arms: number;
  armsCovered: number;
  readonly pValues: number[];
}

export const emptyTally = (of: Pick<Tally, 'key' | 'users' | 'pooled' | 'isQuantile'>): Tally => ({
  ...of,
  concluded: 0,
  rejected: 0,
  covered: 0,
  arms: 0,
  armsCovered: 0,
  pValues: [],
});

const holds = (lower: number | null, upper: number | null, value: number): boolean =>
  (lower ?? Number.NEGATIVE_INFINITY) <= value && value <= (upper ?? Number.POSITIVE_INFINITY);

/**
 * Counts one finding. An arm is a part f of the users whose value it estimates, so it varies about
 * that value by √(1 − f) of what its interval allows for users drawn afresh (Cochran 1977, §2.6): its
 * distance is stretched by as much.
 *
 * @param shares of the users, of each arm
 */
export function count(tally: Tally, finding: Finding | null, shares: readonly number[]): void {
  if (finding === null) return;
  const { isRejected, pValue, lower, upper, arms } = finding;
  tally.concluded++;
  if (isRejected) tally.rejected++;
  if (holds(lower, upper, 0)) tally.covered++;
  if (pValue !== null) tally.pValues.push(pValue);
  for (const [index, arm] of arms.entries()) {
    if (arm.value === null || tally.pooled === null || tally.isQuantile) continue;
    const stretched = (tally.pooled - arm.value) / Math.sqrt(1 - (shares[index] ?? 0));
    tally.arms++;
    if (holds(arm.lower, arm.upper, arm.value + stretched)) tally.armsCovered++;
  }
}

function uniformity(pValues: readonly number[]): number | null {
  if (pValues.length === 0) return null;
  if (new Set(pValues).size < (1 - REPEATS_MAX) * pValues.length) return null;
  const test = ksUniform(pValues);
  return test.status === 'ok' ? test.pValue : null;
}

/**
 * What the counts say. A test for one look must reject as often as its level says; one for many
 * looks, and a posterior drawn towards no effect, at most as often.
 */
export function verdictOf(
  tally: Tally,
  { analysis: { method, alpha } }: Pick<RecalibrationOptions, 'analysis'>,
): MetricCalibration {
  const { key, users, concluded, rejected, isQuantile } = tally;
  const share = (hits: number, of: number): number | null => (of === 0 ? null : hits / of);
  const band = binomialAcceptance(concluded, alpha, FALSE_ALARM);
  const isExact = method === 'fixed';
  const isInside =
    band.status === 'ok' &&
    rejected <= band.upperCount &&
    (!isExact || rejected >= band.lowerCount) &&
    concluded - tally.covered <= band.upperCount;
  return {
    key,
    users,
    concluded,
    falsePositiveRate: share(rejected, concluded),
    acceptance:
      band.status === 'ok' && concluded > 0
        ? {
            low: isExact ? band.lowerCount / concluded : 0,
            high: band.upperCount / concluded,
          }
        : null,
    coverage: share(tally.covered, concluded),
    armCoverage: share(tally.armsCovered, tally.arms),
    uniformityPValue: isExact && !isQuantile ? uniformity(tally.pValues) : null,
    status: concluded === 0 ? 'none' : isInside ? 'ok' : 'outside',
  };
}
