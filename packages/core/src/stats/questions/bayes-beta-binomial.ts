import { betaCredibleInterval } from '../bayes/beta-interval.ts';
import type { BetaPrior } from '../bayes/beta-law.ts';
import type { Proportion } from '../proportions/wilson.ts';
import { type Arms, intervalOf, numberOf } from './answers.ts';

/** Two rates, and the law of each beforehand: uniform when absent. */
interface Rates extends Arms<Proportion> {
  readonly prior?: BetaPrior;
}

const posterior = ({ treatment, control, prior }: Rates, alpha: number) =>
  betaCredibleInterval(treatment, control, prior, 1 - alpha);

/** Posterior median of the difference of rates T − C, −1…1. Refuses INVALID_INPUT, as the interval does. */
export const estimate = numberOf(posterior, ({ diffMedian }) => diffMedian);

/** The equal-tailed credible interval of T − C, of probability 1 − alpha, within −1…1. */
export const interval = intervalOf(posterior, ({ diffLower, diffUpper }) => [diffLower, diffUpper]);
