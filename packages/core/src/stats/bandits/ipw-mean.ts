import { isCount, type Outcome, refuse } from '../outcome.ts';

/** What an arm of a bandit brought while its share of the traffic was the same. */
export interface PropensityBatch {
  /** Of all arms together. */
  readonly units: number;
  /** The arm's share of the traffic, 0 < propensity ≤ 1. */
  readonly propensity: number;
  /** Over the arm's own units. */
  readonly sumReward: number;
  readonly sumRewardSquares: number;
}

/** What the mean of an arm would be with all units in it. */
export interface IpwMean {
  readonly mean: number;
  readonly se: number;
}

const isBatch = ({ units, propensity, sumReward, sumRewardSquares }: PropensityBatch): boolean =>
  isCount(units) &&
  propensity > 0 &&
  propensity <= 1 &&
  [sumReward, sumRewardSquares].every((sum) => Number.isFinite(sum)) &&
  sumRewardSquares >= 0;

/**
 * The mean of one arm of a bandit by inverse propensity weighting (Horvitz & Thompson 1952): every
 * unit scores its reward over the arm's share, or 0 in another arm. A plain mean is biased, since an
 * arm that had bad luck gets few units to make up for it (Nie, Tian, Taylor & Zou 2018). The floor of
 * `applyFloor` bounds the scores. Refuses INVALID_INPUT and NO_UNITS; INSUFFICIENT_UNITS, for one unit,
 * and ZERO_VARIANCE, both with the mean.
 */
export function ipwMean(
  batches: readonly PropensityBatch[],
): Outcome<IpwMean, { readonly mean?: number }> {
  if (!batches.every(isBatch)) return refuse('INVALID_INPUT');
  let [n, scores, squares] = [0, 0, 0];
  for (const { units, propensity, sumReward, sumRewardSquares } of batches) {
    n += units;
    scores += sumReward / propensity;
    squares += sumRewardSquares / (propensity * propensity);
  }
  if (n === 0) return refuse('NO_UNITS');
  const mean = scores / n;
  if (n < 2) return { status: 'INSUFFICIENT_UNITS', mean };
  // Rounding can leave a variance a little below zero, which it cannot be.
  const variance = Math.max(0, squares - scores * mean) / (n - 1);
  return variance === 0
    ? { status: 'ZERO_VARIANCE', mean }
    : { status: 'ok', mean, se: Math.sqrt(variance / n) };
}
