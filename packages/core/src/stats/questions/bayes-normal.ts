import { type BayesNormalOptions, bayesNormal } from '../bayes/normal.ts';
import { intervalOf, numberOf } from './answers.ts';

/** An effect as estimated, and its law beforehand. */
interface Effect extends Pick<BayesNormalOptions, 'prior'> {
  readonly estimate: number;
  readonly se: number;
}

const posterior = ({ estimate, se, prior }: Effect, alpha: number) =>
  bayesNormal(estimate, se, { prior, credibility: 1 - alpha });

/** Posterior mean of the effect, in its unit. Refuses INVALID_INPUT and ZERO_VARIANCE, as all of it. */
export const estimate = numberOf(posterior, ({ posteriorMean }) => posteriorMean);

/** Posterior standard deviation of the effect, > 0. */
export const standardError = numberOf(posterior, ({ posteriorSd }) => posteriorSd);

/** The credible interval of the effect, of probability 1 − alpha. */
export const interval = intervalOf(posterior, ({ lower, upper }) => [lower, upper]);
