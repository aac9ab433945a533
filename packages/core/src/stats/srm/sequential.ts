import { deviance, stirlingError } from '../distributions/gamma.ts';
import { isCount, isPositive, type Outcome, refuse } from '../outcome.ts';

/** The sequential test of a split, one entry for each look. */
export interface SequentialSrm {
  /** ln of the Bayes factor against the planned split. */
  readonly logBayesFactor: readonly number[];
  /** Valid at any time: the smallest 1/BF so far. */
  readonly pValue: readonly number[];
  /** Of a mismatch, when it is as likely as not beforehand. */
  readonly posteriorProbabilityOfSrm: readonly number[];
}

/** How much the split under the alternative varies about the planned one, as a number of units. */
const CONCENTRATION_DEFAULT = 10_000;

/**
 * ln BF of counts under a Dirichlet law about the shares. The plain difference of ln Γ loses ten
 * digits for large counts; the leading terms add up to deviances, which lose none.
 */
function logBayesFactor(
  counts: readonly number[],
  shares: readonly number[],
  concentration: number,
): number {
  const units = counts.reduce((sum, count) => sum + count, 0);
  const all = concentration + units;
  let sum = 0.5 * Math.log1p(units / concentration) - stirlingError(all);
  sum += stirlingError(concentration);
  for (const [arm, count] of counts.entries()) {
    const share = shares[arm] ?? 0;
    if (share === 0) continue;
    const prior = concentration * share;
    sum += deviance(prior + count, share * all) - 0.5 * Math.log1p(count / prior);
    sum += stirlingError(prior + count) - stirlingError(prior);
  }
  return sum;
}

/**
 * Sequential test of a sample ratio mismatch by a multinomial Bayes factor (Lindon & Malek 2022):
 * its p-value may be looked at as often as one likes. Refuses INVALID_INPUT (totals that fall,
 * too) and UNEXPECTED_ARM. No units are no evidence: p is 1.
 *
 * @param cumulativeCounts units per arm up to each look
 * @param weights expected shares per arm, of any sum
 * @param concentration large values find small lasting skews, small ones find gross breakage early
 */
export function sequentialSrm(
  cumulativeCounts: readonly (readonly number[])[],
  weights: readonly number[],
  concentration = CONCENTRATION_DEFAULT,
): Outcome<SequentialSrm> {
  const weightSum = weights.reduce((sum, weight) => sum + weight, 0);
  const isValid =
    isPositive(concentration) &&
    isPositive(weightSum) &&
    weights.every((weight) => weight >= 0) &&
    cumulativeCounts.every(
      (counts, look) =>
        counts.length === weights.length &&
        counts.every(
          (count, arm) => isCount(count) && count >= (cumulativeCounts[look - 1]?.[arm] ?? 0),
        ),
    );
  if (!isValid) return refuse('INVALID_INPUT');
  const isUnexpected = cumulativeCounts.some((counts) =>
    counts.some((count, arm) => count > 0 && weights[arm] === 0),
  );
  if (isUnexpected) return refuse('UNEXPECTED_ARM');
  const shares = weights.map((weight) => weight / weightSum);
  const factors = cumulativeCounts.map((counts) => logBayesFactor(counts, shares, concentration));
  let smallest = 1;
  return {
    status: 'ok',
    logBayesFactor: factors,
    pValue: factors.map((factor) => {
      smallest = Math.min(smallest, Math.exp(-factor));
      return smallest;
    }),
    posteriorProbabilityOfSrm: factors.map((factor) => 1 / (1 + Math.exp(-factor))),
  };
}
