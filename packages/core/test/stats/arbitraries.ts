import fc from 'fast-check';
import type {
  Arms,
  CupedArm,
  CupedRatioArm,
  EventCount,
  PropensityBatch,
  Proportion,
  QuantileEstimate,
  RatioSums,
  Sample,
} from '../../src/stats/index.ts';

const STEPS = 2 ** 30;

/**
 * Numbers spread evenly over a range, now and then an end of it, zero or one. `fc.double` takes all
 * doubles for equally likely, most of which are next to zero: of a rate it makes 0 or 1.
 */
export const value = (min: number, max: number): fc.Arbitrary<number> => {
  const edges = new Set([min, max, 0, 1].filter((edge) => edge >= min && edge <= max));
  const evenly = fc.integer({ min: 0, max: STEPS }).map((k) => min + (max - min) * (k / STEPS));
  return fc.oneof(
    { weight: 9, arbitrary: fc.noBias(evenly) },
    { weight: 1, arbitrary: fc.constantFrom(...edges) },
  );
};

/** Counts, of which a third are small. */
const count = (min: number, max: number): fc.Arbitrary<number> =>
  fc.oneof(
    { weight: 2, arbitrary: fc.noBias(fc.integer({ min, max })) },
    { weight: 1, arbitrary: fc.integer({ min, max: min + 50 }) },
  );

/** A sample of any mean, also of zero. */
export const sample: fc.Arbitrary<Sample> = fc.record({
  n: count(2, 1_000_000),
  mean: value(-100, 100),
  variance: value(0.01, 1000),
});

/** A sample whose mean is well above zero. */
export const positiveSample: fc.Arbitrary<Sample> = fc.record({
  n: count(50, 1_000_000),
  mean: value(5, 100),
  variance: value(0.01, 4),
});

/** A rate, a third of which are below 5 %. */
export const proportion: fc.Arbitrary<Proportion> = fc
  .tuple(
    count(1, 5000),
    fc.oneof({ weight: 2, arbitrary: value(0, 1) }, { weight: 1, arbitrary: value(0, 0.05) }),
  )
  .map(([n, share]) => ({ n, x: Math.round(n * share) }));

export const level = value(0.001, 0.3);

/** A metric and a covariate of some correlation. */
export const cupedArm: fc.Arbitrary<CupedArm> = fc
  .tuple(
    fc.integer({ min: 50, max: 10_000 }),
    value(1, 10),
    value(1, 10),
    value(0.5, 5),
    value(0.5, 5),
    value(-0.95, 0.95),
  )
  .map(([n, meanY, meanX, varY, varX, correlation]) => ({
    n,
    meanY,
    meanX,
    varY,
    varX,
    covXY: correlation * Math.sqrt(varX * varY),
  }));

/** Sums of a numerator Y and a denominator X. */
const toRatioSums = ({ n, meanY, varY, meanX, varX, covXY }: CupedArm): RatioSums => ({
  n,
  sumNumerator: n * meanY,
  sumDenominator: n * meanX,
  sumNumeratorSquares: (n - 1) * varY + n * meanY * meanY,
  sumDenominatorSquares: (n - 1) * varX + n * meanX * meanX,
  sumProduct: (n - 1) * covXY + n * meanX * meanY,
});

const four = fc.array(value(0.5, 5), { minLength: 4, maxLength: 4 });
/** Four values that share a cause, and each vary by themselves. */
const cupedRatioArm: fc.Arbitrary<CupedRatioArm> = fc
  .tuple(fc.integer({ min: 50, max: 10_000 }), four, four, four)
  .map(([n, means, shared, own]) => ({
    n,
    means,
    cov: shared.map((a, i) => shared.map((b, j) => a * b + (i === j ? (own[i] ?? 0) : 0))),
  }));

/** Rewards of an arm of a bandit while its share was the same. */
export const propensityBatch: fc.Arbitrary<PropensityBatch> = fc
  .tuple(fc.integer({ min: 1, max: 10_000 }), value(0.01, 1), value(-5, 5), value(0, 5))
  .map(([units, propensity, mean, variance]) => {
    const own = units * propensity;
    return {
      units,
      propensity,
      sumReward: own * mean,
      sumRewardSquares: own * (mean * mean + variance),
    };
  });

/** Events of an arm, and the time or the units in which they were seen. */
const eventCount: fc.Arbitrary<EventCount> = fc.record({
  events: fc.oneof(fc.noBias(fc.integer({ min: 0, max: 500 })), fc.integer({ min: 0, max: 20 })),
  exposure: value(1, 1000),
});

/** An estimated quantile. */
const quantile: fc.Arbitrary<QuantileEstimate> = fc.record({
  estimate: value(-100, 100),
  se: value(0.01, 10),
});

/** Puts the treatment about `z` standard errors above the control. */
type Approach<A> = (treatment: A, control: A, z: number) => A;

/**
 * Two arms of the same kind. Arms that are drawn by themselves all but always differ significantly;
 * half of the pairs are drawn near each other, so that tests do not reject some of them.
 */
const armsOf = <A>(arm: fc.Arbitrary<A>, approach: Approach<A>): fc.Arbitrary<Arms<A>> => {
  const apart = fc.record({ treatment: arm, control: arm });
  const near = fc.tuple(apart, value(-5, 5)).map(([{ treatment, control }, z]) => ({
    treatment: approach(treatment, control, z),
    control,
  }));
  return fc.oneof(apart, near);
};

const distance = (a: number, b: number, z: number): number => z * Math.sqrt(a + b);

/** Two samples. */
export const samplesOf = (arm: fc.Arbitrary<Sample>): fc.Arbitrary<Arms<Sample>> =>
  armsOf(arm, (t, c, z) => ({
    ...t,
    mean: c.mean + distance(t.variance / t.n, c.variance / c.n, z),
  }));

/** Two rates. */
export const proportions: fc.Arbitrary<Arms<Proportion>> = armsOf(proportion, (t, c, z) => {
  const rate = c.x / c.n;
  const variance = rate * (1 - rate);
  const near = rate + distance(variance / t.n, variance / c.n, z);
  return { n: t.n, x: Math.round(t.n * Math.min(1, Math.max(0, near))) };
});

/** Two arms with a covariate. */
export const cupedArms: fc.Arbitrary<Arms<CupedArm>> = armsOf(cupedArm, (t, c, z) => ({
  ...t,
  meanX: c.meanX,
  meanY: c.meanY + distance(t.varY / t.n, c.varY / c.n, z),
}));

/** Two arms of a ratio. */
export const ratioArms: fc.Arbitrary<Arms<RatioSums>> = cupedArms.map(({ treatment, control }) => ({
  treatment: toRatioSums(treatment),
  control: toRatioSums(control),
}));

/** Two arms of a ratio with a covariate. */
export const cupedRatioArms: fc.Arbitrary<Arms<CupedRatioArm>> = armsOf(
  cupedRatioArm,
  (t, c, z) => {
    const [meanY = 0, ...others] = c.means;
    const [varT, varC] = [t, c].map(({ n, cov }) => (cov[0]?.[0] ?? 0) / n);
    return { ...t, means: [meanY + distance(varT ?? 0, varC ?? 0, z), ...others] };
  },
);

/** Two arms of events. */
export const eventArms: fc.Arbitrary<Arms<EventCount>> = armsOf(eventCount, (t, c, z) => {
  const expected = (c.events / c.exposure) * t.exposure;
  return { ...t, events: Math.max(0, Math.round(expected + distance(expected, 0, z))) };
});

/** Two arms of a quantile. */
export const quantiles: fc.Arbitrary<Arms<QuantileEstimate>> = armsOf(quantile, (t, c, z) => ({
  ...t,
  estimate: c.estimate + distance(t.se ** 2, c.se ** 2, z),
}));
