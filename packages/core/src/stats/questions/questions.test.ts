import fc from 'fast-check';
import { describe, it } from 'vitest';
import {
  cupedArm,
  cupedArms,
  cupedRatioArms,
  eventArms,
  level,
  positiveSample,
  propensityBatch,
  proportion,
  proportions,
  quantiles,
  ratioArms,
  sample,
  samplesOf,
  value,
} from '../../../test/stats/arbitraries.ts';
import {
  addCovariate,
  addDenominator,
  addFirst,
  bothArms,
  changeNumerator,
  scaleCuped,
  scaleRatio,
  scaleSample,
  scaleVectors,
  shiftSample,
  toVectors,
} from '../../../test/stats/changes.ts';
import {
  type Claims,
  INVERTED,
  LIFT_INVERTED,
  NEGATED,
  type Property,
  propertiesOf,
  swapArms,
} from '../../../test/stats/claims.ts';
import {
  type Arms,
  type CupedRatioArm,
  type EventCount,
  type QuantileEstimate,
  type Stratum,
  TESTS,
} from '../index.ts';

const times = (x: number, factor: number): number => x * factor;
const same = (x: number): number => x;
const nothing = (): number => 0;
const covariateArms = cupedArms.map(({ treatment, control }) => ({
  treatment: toVectors(treatment),
  control: toVectors(control),
}));

const goodDirection = fc.constantFrom('increase' as const, 'decrease' as const);
const withMargin = <A>(arms: fc.Arbitrary<Arms<A>>, margin: fc.Arbitrary<number>) =>
  fc
    .record({ arms, goodDirection, margin })
    .map(({ arms: both, ...options }) => ({ ...both, ...options }));
const counts = fc.array(fc.integer({ min: 1, max: 100_000 }), { minLength: 3, maxLength: 3 });

const NO_RATE = { x: 0, n: 0 };
const NO_RATES = { treatment: NO_RATE, control: { x: 5, n: 9 } };
const NO_SAMPLE = { n: 0, mean: 0, variance: 0 };
const NO_SAMPLES = { treatment: NO_SAMPLE, control: { n: 9, mean: 1, variance: 1 } };
const NO_CUPED = { n: 0, meanY: 0, varY: 0, meanX: 0, varX: 0, covXY: 0 };
const NO_RATIO = {
  n: 0,
  sumNumerator: 0,
  sumDenominator: 0,
  sumNumeratorSquares: 0,
  sumDenominatorSquares: 0,
  sumProduct: 0,
};
const NO_CUPED_RATIO = { n: 0, means: [0, 0, 0, 0], cov: [1, 2, 3, 4].map(() => [0, 0, 0, 0]) };

const rates = { data: proportions, empty: NO_RATES } as const;
const ratesDifference = { ...rates, range: [-1, 1], swap: NEGATED } as const;
const ratesLift = { ...rates, range: [-1, Infinity], swap: LIFT_INVERTED } as const;
const difference = { swap: NEGATED, tested: nothing } as const;
const samples = { data: samplesOf(sample), empty: NO_SAMPLES } as const;
const lift = { scale: { scale: bothArms(scaleSample), follow: same } } as const;
const positive = { ...lift, data: samplesOf(positiveSample), empty: NO_SAMPLES } as const;

const ofStrata: Claims<readonly Stratum[]> = {
  tested: nothing,
  data: fc.array(samplesOf(sample), { minLength: 1, maxLength: 4 }),
  empty: [],
  swap: { swap: (data) => data.map(swapArms), mirror: NEGATED.mirror, keepsError: true },
  scale: {
    scale: (data, k) => data.map((stratum) => bothArms(scaleSample)(stratum, k)),
    follow: times,
  },
  shift: (data, by) => data.map((stratum) => bothArms(shiftSample)(stratum, by)),
};

/** A test without an entry does not compile. */
const PROPERTIES: Readonly<Record<keyof typeof TESTS, readonly Property[]>> = {
  'proportion.wilson': propertiesOf(TESTS['proportion.wilson'], {
    data: proportion,
    range: [0, 1],
    empty: NO_RATE,
  }),
  'proportion.clopperPearson': propertiesOf(TESTS['proportion.clopperPearson'], {
    data: proportion,
    range: [0, 1],
    empty: NO_RATE,
  }),
  'proportion.diff.newcombe': propertiesOf(TESTS['proportion.diff.newcombe'], ratesDifference),
  'proportion.diff.miettinenNurminen': propertiesOf(TESTS['proportion.diff.miettinenNurminen'], {
    ...ratesDifference,
    tested: nothing,
  }),
  // Wald's interval may leave −1…1, and need not agree with the pooled test.
  'proportion.zTest': propertiesOf(TESTS['proportion.zTest'], { ...rates, swap: NEGATED }),
  'proportion.fisherExact': propertiesOf(TESTS['proportion.fisherExact'], ratesDifference),
  'proportion.lift.score': propertiesOf(TESTS['proportion.lift.score'], {
    ...ratesLift,
    tested: nothing,
  }),
  'proportion.lift.log': propertiesOf(TESTS['proportion.lift.log'], ratesLift),
  'mean.oneArm': propertiesOf(TESTS['mean.oneArm'], {
    data: sample,
    empty: NO_SAMPLE,
    scale: { scale: scaleSample, follow: times },
  }),
  'mean.welch': propertiesOf(TESTS['mean.welch'], {
    ...samples,
    ...difference,
    scale: { scale: bothArms(scaleSample), follow: times },
    shift: bothArms(shiftSample),
  }),
  // Of means of any sign; only positive ones have a ratio that swapping arms inverts.
  'mean.lift.fieller': propertiesOf(TESTS['mean.lift.fieller'], {
    ...samples,
    ...lift,
    tested: nothing,
    swap: { ...LIFT_INVERTED, data: samplesOf(positiveSample) },
  }),
  // Its interval agrees with nothing else: neither the p-value nor that of swapped arms.
  'mean.lift.delta': propertiesOf(TESTS['mean.lift.delta'], {
    ...positive,
    swap: { ...LIFT_INVERTED, mirrorsLimits: false },
  }),
  'mean.lift.log': propertiesOf(TESTS['mean.lift.log'], {
    ...positive,
    range: [-1, Infinity],
    swap: LIFT_INVERTED,
  }),
  'ratio.delta': propertiesOf(TESTS['ratio.delta'], {
    ...difference,
    data: ratioArms,
    empty: { treatment: NO_RATIO, control: NO_RATIO },
    scale: { scale: bothArms(scaleRatio), follow: times },
    shift: bothArms(addDenominator),
  }),
  'count.poissonRateExact': propertiesOf(TESTS['count.poissonRateExact'], {
    data: eventArms,
    range: [0, Infinity],
    tested: () => 1,
    swap: INVERTED,
    scale: {
      scale: bothArms(({ events, exposure }: EventCount, k) => ({
        events,
        exposure: exposure * k,
      })),
      follow: same,
    },
  }),
  'quantile.difference': propertiesOf(TESTS['quantile.difference'], {
    ...difference,
    data: quantiles,
    scale: {
      scale: bothArms(({ estimate, se }: QuantileEstimate, k) => ({
        estimate: estimate * k,
        se: se * k,
      })),
      follow: times,
    },
    shift: bothArms((arm: QuantileEstimate, by) => ({ ...arm, estimate: arm.estimate + by })),
  }),
  'cuped.single': propertiesOf(TESTS['cuped.single'], {
    ...difference,
    data: fc
      .tuple(cupedArms, fc.array(cupedArm, { maxLength: 2 }))
      .map(([both, others]) => ({ ...both, others })),
    empty: { treatment: NO_CUPED, control: NO_CUPED, others: [] },
    scale: {
      scale: (data, k) => ({
        ...bothArms(scaleCuped)(data, k),
        others: (data.others ?? []).map((arm) => scaleCuped(arm, k)),
      }),
      follow: times,
    },
    shift: (data, k) => ({
      ...bothArms(addCovariate)(data, k),
      others: (data.others ?? []).map((arm) => addCovariate(arm, k)),
    }),
  }),
  'cuped.multiPooled': propertiesOf(TESTS['cuped.multiPooled'], {
    ...difference,
    data: covariateArms,
    empty: { treatment: toVectors(NO_CUPED), control: toVectors(NO_CUPED) },
    scale: { scale: bothArms(scaleVectors), follow: times },
    shift: bothArms(addFirst),
  }),
  'cuped.ratio': propertiesOf(TESTS['cuped.ratio'], {
    ...difference,
    data: cupedRatioArms,
    empty: { treatment: NO_CUPED_RATIO, control: NO_CUPED_RATIO },
    scale: {
      scale: bothArms((arm: CupedRatioArm, k) => changeNumerator(arm, k, 0)),
      follow: times,
    },
    shift: bothArms((arm: CupedRatioArm, by) => changeNumerator(arm, 1, by)),
  }),
  'cuped.regressionInteracted': propertiesOf(TESTS['cuped.regressionInteracted'], {
    ...difference,
    data: covariateArms,
    empty: { treatment: toVectors(NO_CUPED), control: toVectors(NO_CUPED) },
    scale: { scale: bothArms(scaleVectors), follow: times },
    shift: bothArms(addFirst),
  }),
  postStratification: propertiesOf(TESTS.postStratification, ofStrata),
  'nonInferiority.absolute': propertiesOf(TESTS['nonInferiority.absolute'], {
    data: withMargin(samplesOf(sample), value(0, 50)),
    empty: { ...NO_SAMPLES, goodDirection: 'increase', margin: 1 },
    tested: (data) => (data.goodDirection === 'increase' ? -data.margin : data.margin),
    scale: {
      scale: (data, k) => ({ ...bothArms(scaleSample)(data, k), margin: data.margin * k }),
      follow: times,
    },
    shift: bothArms(shiftSample),
  }),
  'nonInferiority.relative': propertiesOf(TESTS['nonInferiority.relative'], {
    data: withMargin(samplesOf(sample), value(0, 0.5)),
    empty: { ...NO_SAMPLES, goodDirection: 'increase', margin: 0.1 },
    ...lift,
  }),
  'nonInferiority.proportionScore': propertiesOf(TESTS['nonInferiority.proportionScore'], {
    data: withMargin(proportions, value(0, 0.9)),
    empty: { ...NO_RATES, goodDirection: 'increase', margin: 0.1 },
    range: [-1, 1],
  }),
  'sequential.asymptoticConfidenceSequence': propertiesOf(
    TESTS['sequential.asymptoticConfidenceSequence'],
    {
      data: fc.record({
        estimate: value(-1, 1),
        se: value(0.01, 1),
        n: fc.integer({ min: 2, max: 1_000_000 }),
        tuningN: fc.integer({ min: 100, max: 100_000 }),
        tuningAlpha: level,
      }),
      empty: { estimate: 0, se: 1, n: 0, tuningN: 5000, tuningAlpha: 0.05 },
      tested: nothing,
      setFor: (data, alpha) => ({ ...data, tuningAlpha: alpha }),
      swap: { swap: (data) => ({ ...data, estimate: -data.estimate }), mirror: NEGATED.mirror },
      scale: {
        scale: (data, k) => ({ ...data, estimate: data.estimate * k, se: data.se * k }),
        follow: times,
      },
    },
  ),
  'sequential.msprt': propertiesOf(TESTS['sequential.msprt'], {
    data: fc.record({ estimate: value(-1, 1), se: value(0.01, 1), tauSquared: value(0.001, 1) }),
    tested: nothing,
    swap: { swap: (data) => ({ ...data, estimate: -data.estimate }), mirror: NEGATED.mirror },
    scale: {
      scale: ({ estimate, se, tauSquared }, k) => ({
        estimate: estimate * k,
        se: se * k,
        tauSquared: tauSquared * k * k,
      }),
      follow: times,
    },
  }),
  'sequential.anytimeValidT': propertiesOf(TESTS['sequential.anytimeValidT'], {
    data: fc
      .record({ t: value(-20, 20), n: fc.integer({ min: 3, max: 2000 }), g: value(1, 200) })
      .map((look) => ({ ...look, df: look.n - 2 })),
    tested: nothing,
    swap: { swap: (data) => ({ ...data, t: -data.t }), mirror: NEGATED.mirror },
  }),
  'bayes.normal': propertiesOf(TESTS['bayes.normal'], {
    data: fc.record({
      estimate: value(-1, 1),
      se: value(0.01, 1),
      prior: fc.constantFrom(null, { mean: 0, variance: 0.09 }),
    }),
    swap: { swap: (data) => ({ ...data, estimate: -data.estimate }), mirror: NEGATED.mirror },
  }),
  'bayes.betaBinomial': propertiesOf(TESTS['bayes.betaBinomial'], {
    data: proportions,
    range: [-1, 1],
    swap: NEGATED,
    numRuns: 4,
  }),
  'bandit.periodStratified': propertiesOf(TESTS['bandit.periodStratified'], ofStrata),
  'bandit.ipwMean': propertiesOf(TESTS['bandit.ipwMean'], {
    data: fc.array(propensityBatch, { minLength: 1, maxLength: 4 }),
    empty: [],
    scale: {
      scale: (data, k) =>
        data.map((batch) => ({
          ...batch,
          sumReward: batch.sumReward * k,
          sumRewardSquares: batch.sumRewardSquares * k * k,
        })),
      follow: times,
    },
  }),
  'srm.chiSquare': propertiesOf(TESTS['srm.chiSquare'], {
    data: fc.record({ counts, weights: counts }),
    empty: { counts: [0, 0], weights: [1, 1] },
  }),
  'srm.binomialExact': propertiesOf(TESTS['srm.binomialExact'], {
    data: proportion.chain(({ x, n }) =>
      fc.record({ count: fc.constant(x), total: fc.constant(n), share: value(0.01, 0.99) }),
    ),
    empty: { count: 0, total: 0, share: 0.5 },
    swap: {
      swap: ({ count, total, share }) => ({ count: total - count, total, share: 1 - share }),
      mirror: same,
    },
  }),
  'srm.varyingWeights': propertiesOf(TESTS['srm.varyingWeights'], {
    data: fc.array(fc.record({ counts, weights: counts }), { minLength: 1, maxLength: 4 }),
    empty: [],
  }),
  'srm.sequentialMultinomial': propertiesOf(TESTS['srm.sequentialMultinomial'], {
    data: fc.record({ cumulativeCounts: fc.tuple(counts), weights: counts }),
  }),
};

describe.each(Object.entries(PROPERTIES))('%s', (_, properties) => {
  it.each(properties)('%s', (__, check) => check());
});
