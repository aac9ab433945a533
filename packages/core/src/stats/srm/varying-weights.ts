import { chiSquareSf } from '../distributions/chi-square.ts';
import { dot, solveSemidefinite } from '../numeric/linear-algebra.ts';
import { isCount, type Outcome, refuse } from '../outcome.ts';

/** Units per arm that came while the weights stayed the same. */
export interface WeightPeriod {
  readonly counts: readonly number[];
  /** Of any sum. */
  readonly weights: readonly number[];
}

/** Wald's test of counts whose expected shares changed over time. */
export interface VaryingWeightsSrm {
  readonly observed: readonly number[];
  readonly expected: readonly number[];
  readonly wald: number;
  readonly df: number;
  readonly pValue: number;
}

/** Expected counts and their covariances, summed over the periods. */
export function expectation(periods: readonly WeightPeriod[], arms: number) {
  const expected = new Array<number>(arms).fill(0);
  const covariance = expected.map(() => new Array<number>(arms).fill(0));
  for (const { counts, weights } of periods) {
    const units = counts.reduce((sum, count) => sum + count, 0);
    const weightSum = weights.reduce((sum, weight) => sum + weight, 0);
    const shares = weights.map((weight) => (weightSum > 0 ? weight / weightSum : 0));
    for (const [i, share] of shares.entries()) {
      expected[i] = (expected[i] ?? 0) + units * share;
      for (const [j, other] of shares.entries()) {
        const row = covariance[i] ?? [];
        row[j] = (row[j] ?? 0) + units * ((i === j ? share : 0) - share * other);
      }
    }
  }
  return { expected, covariance };
}

/**
 * Sample ratio mismatch where weights changed (ramp-up, bandit): the observed totals against the sum
 * of what each period expects, by Wald's statistic on all arms but one. Refuses INVALID_INPUT,
 * NO_UNITS and UNEXPECTED_ARM.
 *
 * @param periods arms in the same order in each
 */
export function varyingWeightsSrm(periods: readonly WeightPeriod[]): Outcome<VaryingWeightsSrm> {
  const arms = periods[0]?.counts.length ?? 0;
  const isValid = periods.every(
    ({ counts, weights }) =>
      counts.length === arms &&
      weights.length === arms &&
      counts.every(isCount) &&
      weights.every((weight) => Number.isFinite(weight) && weight >= 0),
  );
  if (!isValid) return refuse('INVALID_INPUT');
  const observed = Array.from({ length: arms }, (_, arm) =>
    periods.reduce((sum, { counts }) => sum + (counts[arm] ?? 0), 0),
  );
  if (observed.every((count) => count === 0)) return refuse('NO_UNITS');
  const isUnexpected = periods.some(({ counts, weights }) =>
    counts.some((count, arm) => count > 0 && weights[arm] === 0),
  );
  if (isUnexpected) return refuse('UNEXPECTED_ARM');
  const { expected, covariance } = expectation(periods, arms);
  const deviation = observed.map((count, arm) => count - (expected[arm] ?? 0));
  // The counts of a period have a fixed sum, so one arm follows from the others and drops out; an
  // arm that never had a weight drops out too.
  const { solution, kept } = solveSemidefinite(covariance, deviation);
  if (kept.length === 0) return refuse('INVALID_INPUT');
  const wald = Math.max(0, dot(deviation, solution));
  const df = kept.length;
  return { status: 'ok', observed, expected, wald, df, pValue: chiSquareSf(wald, df) };
}
