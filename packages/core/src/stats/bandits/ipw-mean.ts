import { isCount, type Outcome, refuse } from '../outcome.ts';

/** What an arm of a bandit brought while its share of the traffic was the same. */
export interface PropensityBatch {
  /** Of all arms together. */
  readonly units: number;
  /** The arm's share of the traffic, 0 < propensity ≤ 1. */
  readonly propensity: number;
  /** Over the arm's own units, as the squares. */
  readonly sumReward: number;
  readonly sumRewardSquares: number;
}

/** What the mean of an arm would be with all units in it. */
export interface IpwMean {
  readonly mean: number;
  readonly se: number;
}

/** Sums that are as far apart as rewards can be may be wrong in the last digits. */
const SQUARES_SLACK = 1 + 1e-9;

const isBatch = ({ units, propensity, sumReward, sumRewardSquares }: PropensityBatch): boolean =>
  isCount(units) &&
  propensity > 0 &&
  propensity <= 1 &&
  [sumReward, sumRewardSquares].every((sum) => Number.isFinite(sum)) &&
  sumRewardSquares >= 0 &&
  // By Cauchy & Schwarz, of at most so many rewards; as roots, since squares would overflow.
  Math.abs(sumReward) <= Math.sqrt(units) * Math.sqrt(sumRewardSquares) * SQUARES_SLACK;

/** A variance below this part of the squares that it is the rest of is their rounding. */
const ROUNDING = 1e-12;

/**
 * The mean of one arm of a bandit by inverse propensity weighting (Horvitz & Thompson 1952): every
 * unit scores its reward over the arm's share, or 0 in another arm. A plain mean is biased, since an
 * arm that had bad luck gets few units to make up for it (Nie, Tian, Taylor & Zou 2018). The floor of
 * `applyFloor` bounds the scores. Refuses INVALID_INPUT, for scores beyond all numbers too, and NO_UNITS;
 * INSUFFICIENT_UNITS, for one unit, and ZERO_VARIANCE, both with the mean.
 *
 * Sums of squares only keep the digits of the variance while the mean score is no more than some
 * thousand deviations from zero (§0.2), and beyond a million there is none: ZERO_VARIANCE. Of such
 * rewards pass the sums of their deviations from a constant, and add it to the mean.
 */
export function ipwMean(
  batches: readonly PropensityBatch[],
): Outcome<IpwMean, { readonly mean?: number }> {
  if (!batches.every(isBatch)) return refuse('INVALID_INPUT');
  let [n, scores, squares] = [0, 0, 0];
  for (const { units, propensity, sumReward, sumRewardSquares } of batches) {
    n += units;
    scores += sumReward / propensity;
    // One share at a time: the square of a small one is zero.
    squares += sumRewardSquares / propensity / propensity;
  }
  if (!Number.isFinite(scores) || !Number.isFinite(squares)) return refuse('INVALID_INPUT');
  if (n === 0) return refuse('NO_UNITS');
  const mean = scores / n;
  if (n < 2) return { status: 'INSUFFICIENT_UNITS', mean };
  const deviations = squares - scores * mean;
  // A constant's is not quite zero, and may be below.
  if (deviations <= ROUNDING * squares) return { status: 'ZERO_VARIANCE', mean };
  return { status: 'ok', mean, se: Math.sqrt(deviations / (n - 1) / n) };
}
