import {
  betaCdf,
  betaQuantile,
  binomialCdf,
  binomialExact,
  chiSquareSf,
  chiSquareSrm,
  constrainedRates,
  fiellerLift,
  holmAdjust,
  logGamma,
  meanMde,
  mergeMoments,
  momentsFromSums,
  normalCdf,
  normalLogCdf,
  normalQuantile,
  normalSf,
  proportionMde,
  type RatioSums,
  ratioSample,
  type Sample,
  scoreDifference,
  scoreLift,
  tQuantile,
  tSf,
  varianceOf,
  welchDifference,
  wilsonInterval,
} from '../../src/stats/index.ts';

/** Inputs of a case, untyped as the file is; each adapter reads what its method has. */
// biome-ignore lint/suspicious/noExplicitAny: the fixture's shapes differ from method to method
export type Inputs = any;
export type Answer = Readonly<Record<string, unknown>>;

/** An outcome in the fixture's words: a refusal is `error`. */
function orError<T extends { readonly status: string }>(
  outcome: T,
  numbers: (ok: Extract<T, { status: 'ok' }>) => Answer,
): Answer {
  return outcome.status === 'ok'
    ? numbers(outcome as Extract<T, { status: 'ok' }>)
    : { error: outcome.status };
}

const ratio = (sums: RatioSums): Sample => {
  const outcome = ratioSample(sums);
  if (outcome.status !== 'ok') throw new Error(outcome.status);
  return outcome.sample;
};

/** The fields of a case that a method, as it exists so far, does not answer. */
export const PARTIAL: Readonly<Record<string, readonly string[]>> = {
  'mean.welch': ['pValueGreater', 'pValueLess'],
  'mean.lift': ['seDelta', 'deltaLower', 'deltaUpper', 'seLog', 'logLower', 'logUpper'],
  'multipleTesting.adjust': [
    'bonferroni',
    'hochberg',
    'benjaminiHochberg',
    'benjaminiYekutieli',
    'rejectedBH',
    'ciAlphaBonferroni',
    'ciAlphaFcr',
  ],
};

/** The methods that exist, each called by the fixture's names. */
export const ADAPTERS: Readonly<Record<string, (inputs: Inputs) => Answer>> = {
  'dist.normalCdf': ({ x }) => ({ value: normalCdf(x) }),
  'dist.normalSf': ({ x }) => ({ value: normalSf(x) }),
  'dist.normalLogCdf': ({ x }) => ({ value: normalLogCdf(x) }),
  'dist.normalQuantile': ({ p }) => ({ value: normalQuantile(p) }),
  'dist.tSf': ({ t, df }) => ({ value: tSf(t, df) }),
  'dist.tQuantile': ({ p, df }) => ({ value: tQuantile(p, df) }),
  'dist.chi2Sf': ({ x, df }) => ({ value: chiSquareSf(x, df) }),
  'dist.betaCdf': ({ x, a, b }) => ({ value: betaCdf(x, a, b) }),
  'dist.betaQuantile': ({ p, a, b }) => ({ value: betaQuantile(p, a, b) }),
  'dist.binomialCdf': ({ k, n, p }) => ({ value: binomialCdf(k, n, p) }),
  'dist.lgamma': ({ x }) => ({ value: logGamma(x) }),
  'proportion.wilson': ({ x, n, alpha }) =>
    orError(wilsonInterval({ x, n }, alpha), (ok) => ({ ...ok })),
  'proportion.diff.miettinenNurminen': ({ treatment, control, alpha }) =>
    orError(scoreDifference(treatment, control, alpha), (ok) => ({ ...ok })),
  'proportion.diff.constrainedMle': ({ treatment, control, delta }) => {
    const rates = constrainedRates(treatment, control, delta);
    return { pTreatment: rates.treatment, pControl: rates.control };
  },
  'proportion.lift.score': ({ treatment, control, alpha }) =>
    orError(scoreLift(treatment, control, alpha), (ok) => ({ ...ok })),
  'mean.welch': ({ treatment, control, alpha }) =>
    orError(welchDifference(treatment, control, alpha), (ok) => ({ ...ok })),
  'mean.lift': ({ treatment, control, alpha }) => {
    const test = welchDifference(treatment, control, alpha);
    const lift = fiellerLift(treatment, control, alpha);
    if (lift.status === 'ZERO_BASELINE' && test.status === 'ok') {
      return { error: lift.status, diff: test.diff, pValue: test.pValue };
    }
    return orError(lift, (ok) => ({
      lift: ok.lift,
      fiellerG: ok.g,
      fiellerLower: ok.lower,
      fiellerUpper: ok.upper,
      pValue: test.status === 'ok' ? test.pValue : null,
      df: test.status === 'ok' ? test.df : null,
      flag: ok.flags.find((flag) => flag === 'UNBOUNDED_LIFT') ?? ok.flags[0],
    }));
  },
  'ratio.delta': ({ treatment, control, alpha }) => {
    const outcome = ratioSample(treatment);
    const other = ratioSample(control);
    if (outcome.status !== 'ok') return { error: outcome.status };
    if (other.status !== 'ok') return { error: other.status };
    const [t, c] = [ratio(treatment), ratio(control)];
    const lift = fiellerLift(t, c, alpha);
    return orError(welchDifference(t, c, alpha), (ok) => ({
      ...ok,
      ratioTreatment: t.mean,
      ratioControl: c.mean,
      unitVarianceTreatment: t.variance,
      unitVarianceControl: c.variance,
      ...(lift.status === 'ok'
        ? { lift: lift.lift, liftFiellerLower: lift.lower, liftFiellerUpper: lift.upper }
        : {}),
    }));
  },
  'aggregate.mergeMoments': ({ a, b }) => {
    const merged = mergeMoments(a, b);
    return { ...merged, variance: varianceOf(merged) };
  },
  'aggregate.fromSums': ({ n, sum, sumSquares }) => {
    const moments = momentsFromSums(n, sum, sumSquares);
    const variance = varianceOf(moments);
    return { mean: moments.mean, variance: Number.isNaN(variance) ? null : variance };
  },
  'srm.chiSquare': ({ counts, weights }) =>
    orError(chiSquareSrm(counts, weights), (ok) => ({ ...ok })),
  'srm.binomialExact': ({ countTreatment, total, expectedShare }) => ({
    pValue: binomialExact(countTreatment, total, expectedShare),
  }),
  'multipleTesting.adjust': ({ pValues }) => ({ holm: holmAdjust(pValues) }),
  'power.mean.mde': ({ mean, sd, nControl, nTreatment, alpha, power, cupedCorrelation, sided }) => {
    const mde = meanMde({ sd, nControl, nTreatment, alpha, power, cupedCorrelation, sided });
    return { mde, mdeRelative: mean === 0 ? null : mde / Math.abs(mean) };
  },
  'power.proportion.mde': ({ pControl, nControl, allocationRatio, alpha, power, sided }) => {
    const { up, down } = proportionMde({
      pControl,
      nControl,
      allocationRatio,
      alpha,
      power,
      sided,
    });
    return { mdeUp: up, mdeUpRelative: up === null ? null : up / pControl, mdeDown: down };
  },
};
