import { type Outcome, refuse } from '../outcome.ts';

// How a bandit splits the traffic of its next period among K arms.

/** Shares of the arms, in their order, which add up to 1. */
export interface BanditWeights {
  readonly weights: readonly number[];
}

/** What quadrature may leave of a sum of one. */
const ROUNDING = 1e-6;

const sum = (values: readonly number[]): number => values.reduce((total, x) => total + x, 0);

const isShare = (x: number): boolean => x >= 0 && x <= 1;

/** Whether these are the shares of at least two arms. */
const areShares = (shares: readonly number[]): boolean =>
  shares.length >= 2 && shares.every(isShare) && Math.abs(sum(shares) - 1) <= ROUNDING;

/**
 * Top-two Thompson sampling (Russo 2016) without drawing: the leader is played with probability
 * `leaderShare`, else the best of the others, by the same law once more. It measures the second best
 * arm about as well as the best, which Thompson sampling forgets. Refuses INVALID_INPUT.
 *
 * @param probBest each arm's chance to be the best, as `probBestNormal` and `probBestBeta` give it
 * @param leaderShare 0…1; one half when absent, at 1 the weights are those of Thompson sampling
 */
export function topTwoWeights(
  probBest: readonly number[],
  leaderShare = 0.5,
): Outcome<BanditWeights> {
  if (!areShares(probBest) || !isShare(leaderShare)) return refuse('INVALID_INPUT');
  // Added up rather than taken from 1, of which nothing is left beside an arm that is nearly certain.
  const rests = probBest.map((_, leader) => sum(probBest.filter((__, arm) => arm !== leader)));
  const challenge = (arm: number, leader: number): number => {
    const rest = rests[leader] ?? 0;
    // Beside a certain leader all others are the same.
    return rest === 0 ? 1 / (probBest.length - 1) : (probBest[arm] ?? 0) / rest;
  };
  const weights = probBest.map((chance, arm) => {
    const asChallenger = probBest.map((leads, leader) =>
      leader === arm ? 0 : leads * challenge(arm, leader),
    );
    return leaderShare * chance + (1 - leaderShare) * sum(asChallenger);
  });
  return { status: 'ok', weights };
}

/**
 * Weights that leave every arm a share, without which neither estimates nor a change of mind are
 * possible: each has the floor, and what is left is split as before. A floor of 1/K or more makes all
 * arms equal. Refuses INVALID_INPUT.
 *
 * @param weights of at least two arms, which add up to 1
 * @param floor 0…1, of each arm
 */
export function applyFloor(weights: readonly number[], floor: number): Outcome<BanditWeights> {
  if (!areShares(weights) || !isShare(floor)) return refuse('INVALID_INPUT');
  const arms = weights.length;
  const room = 1 - arms * floor;
  return {
    status: 'ok',
    weights: weights.map((weight) => (room <= 0 ? 1 / arms : floor + room * weight)),
  };
}

/**
 * The ε-greedy rule (Sutton & Barto 2018, §2.2): a share ε is split evenly among all arms, the rest
 * among the best ones so far. Refuses INVALID_INPUT.
 *
 * @param means of at least two arms, of which the largest is best: negate them where less is better
 * @param epsilon 0…1
 */
export function epsilonGreedyWeights(
  means: readonly number[],
  epsilon: number,
): Outcome<BanditWeights> {
  const isValid = means.length >= 2 && means.every((mean) => Number.isFinite(mean));
  if (!isValid || !isShare(epsilon)) return refuse('INVALID_INPUT');
  const best = Math.max(...means);
  const ties = means.filter((mean) => mean === best).length;
  const weights = means.map(
    (mean) => epsilon / means.length + (mean === best ? (1 - epsilon) / ties : 0),
  );
  return { status: 'ok', weights };
}
