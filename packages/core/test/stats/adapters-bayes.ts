import {
  bayesNormal,
  betaBinomial,
  betaCredibleInterval,
  probBestBeta,
  probBestNormal,
} from '../../src/stats/index.ts';
import { type Adapters, answer } from './adapter.ts';

export const BAYES: Adapters = {
  'bayes.betaBinomial': ({ treatment, control, prior }) =>
    answer(betaBinomial(treatment, control, prior)),
  'bayes.betaBinomial.credibleInterval': ({ treatment, control, prior, credibility }) =>
    answer(betaCredibleInterval(treatment, control, prior, credibility)),
  'bayes.normal': ({ estimate, se, ...options }) => answer(bayesNormal(estimate, se, options)),
  'bayes.probBest.normal': ({ means, sds }) => answer(probBestNormal(means, sds)),
  'bayes.probBest.beta': ({ arms, prior }) =>
    answer(probBestBeta(arms, prior), (ok) => ({
      ...ok,
      total: ok.probBest.reduce((sum, probability) => sum + probability, 0),
    })),
};
