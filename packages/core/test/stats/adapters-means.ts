import {
  deltaLift,
  fiellerLift,
  logLift,
  mergeMoments,
  momentsFromSums,
  orderStatisticRanks,
  quantileError,
  ratioSample,
  varianceOf,
  welchDifference,
  winsorizeUpper,
} from '../../src/stats/index.ts';
import { type Adapters, type Answer, answer, flagOf, type Inputs } from './adapter.ts';

function lift({ treatment, control, alpha }: Inputs): Answer {
  const test = welchDifference(treatment, control, alpha);
  const delta = deltaLift(treatment, control, alpha);
  const log = logLift(treatment, control, alpha);
  return answer(fiellerLift(treatment, control, alpha), (fieller) => ({
    ...(test.status === 'ok' ? { pValue: test.pValue, df: test.df } : {}),
    lift: fieller.lift,
    fiellerG: fieller.g,
    fiellerLower: fieller.lower,
    fiellerUpper: fieller.upper,
    flag: flagOf(fieller.flags),
    ...(delta.status === 'ok'
      ? { seDelta: delta.se, deltaLower: delta.lower, deltaUpper: delta.upper }
      : {}),
    ...(log.status === 'ok' ? { seLog: log.seLog, logLower: log.lower, logUpper: log.upper } : {}),
  }));
}

function ratio({ treatment, control, alpha }: Inputs): Answer {
  const [t, c] = [ratioSample(treatment), ratioSample(control)];
  if (t.status !== 'ok') return { error: t.status };
  if (c.status !== 'ok') return { error: c.status };
  const fieller = fiellerLift(t.sample, c.sample, alpha);
  return answer(welchDifference(t.sample, c.sample, alpha), (test) => ({
    ...test,
    ratioTreatment: t.sample.mean,
    ratioControl: c.sample.mean,
    unitVarianceTreatment: t.sample.variance,
    unitVarianceControl: c.sample.variance,
    ...(fieller.status === 'ok'
      ? { lift: fieller.lift, liftFiellerLower: fieller.lower, liftFiellerUpper: fieller.upper }
      : {}),
  }));
}

export const MEANS: Adapters = {
  'aggregate.mergeMoments': ({ a, b }) => {
    const merged = mergeMoments(a, b);
    return { ...merged, variance: varianceOf(merged) };
  },
  'aggregate.fromSums': ({ n, sum, sumSquares }) => {
    const moments = momentsFromSums(n, sum, sumSquares);
    const variance = varianceOf(moments);
    return { mean: moments.mean, variance: Number.isNaN(variance) ? null : variance };
  },
  'mean.welch': ({ treatment, control, alpha }) =>
    answer(welchDifference(treatment, control, alpha)),
  'mean.lift': lift,
  'ratio.delta': ratio,
  'quantile.orderStatisticRanks': ({ n, p, alpha }) =>
    answer(orderStatisticRanks(n, p, alpha), (ranks) => ({
      normalLowerRank: ranks.normalLower,
      normalUpperRank: ranks.normalUpper,
      exactLowerRank: ranks.exactLower,
      exactUpperRank: ranks.exactUpper,
      exactCoverage: ranks.exactCoverage,
    })),
  'quantile.clusteredVariance': (inputs) => answer(quantileError(inputs)),
  'winsorize.upper': ({ values, percentile, ignoreZeros }) =>
    answer(
      winsorizeUpper([values.control, values.treatment], percentile, ignoreZeros),
      ({ cap, arms }) => {
        const [control, treatment] = arms.map((moments) => ({
          ...moments,
          variance: varianceOf(moments),
        }));
        return { cap, control, treatment };
      },
    ),
};
