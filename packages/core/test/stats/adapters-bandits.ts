import {
  applyFloor,
  epsilonGreedyWeights,
  ipwMean,
  periodStratifiedDifference,
  topTwoWeights,
} from '../../src/stats/index.ts';
import { type Adapters, answer } from './adapter.ts';

export const BANDITS: Adapters = {
  'bandit.topTwoWeights': ({ probBest, beta }) => answer(topTwoWeights(probBest, beta)),
  'bandit.applyFloor': ({ weights, floor }) => answer(applyFloor(weights, floor)),
  'bandit.epsilonGreedyWeights': ({ means, epsilon }) =>
    answer(epsilonGreedyWeights(means, epsilon)),
  'bandit.periodStratified': ({ periods, alpha }) =>
    answer(periodStratifiedDifference(periods, alpha), ({ t, ...test }) => ({ ...test, z: t })),
  'bandit.ipwMean': ({ batches }) => answer(ipwMean(batches)),
};
