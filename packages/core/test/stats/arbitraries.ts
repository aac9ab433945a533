import fc from 'fast-check';
import type {
  Arms,
  CupedArm,
  CupedRatioArm,
  PropensityBatch,
  Proportion,
  RatioSums,
  Sample,
} from '../../src/stats/index.ts';

/** Numbers of a comfortable size, so that a property is not about rounding. */
export const value = (min: number, max: number) =>
  fc.double({ min, max, noNaN: true, noDefaultInfinity: true });

/** A sample of any mean, zero or of a comfortable size. */
export const sample: fc.Arbitrary<Sample> = fc.record({
  n: fc.integer({ min: 2, max: 1_000_000 }),
  mean: value(-100, 100).map((mean) => Math.round(mean * 1e6) / 1e6),
  variance: value(0.01, 1000),
});

/** A sample whose mean is well above zero. */
export const positiveSample: fc.Arbitrary<Sample> = fc.record({
  n: fc.integer({ min: 50, max: 1_000_000 }),
  mean: value(5, 100),
  variance: value(0.01, 4),
});

export const proportion: fc.Arbitrary<Proportion> = fc
  .tuple(fc.integer({ min: 1, max: 5000 }), value(0, 1))
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
export const ratioSums: fc.Arbitrary<RatioSums> = cupedArm.map(
  ({ n, meanY, varY, meanX, varX, covXY }) => ({
    n,
    sumNumerator: n * meanY,
    sumDenominator: n * meanX,
    sumNumeratorSquares: (n - 1) * varY + n * meanY * meanY,
    sumDenominatorSquares: (n - 1) * varX + n * meanX * meanX,
    sumProduct: (n - 1) * covXY + n * meanX * meanY,
  }),
);

const four = fc.array(value(0.5, 5), { minLength: 4, maxLength: 4 });
/** Four values that share a cause, and each vary by themselves. */
export const cupedRatioArm: fc.Arbitrary<CupedRatioArm> = fc
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

/** Two arms of the same kind. */
export const armsOf = <A>(arm: fc.Arbitrary<A>): fc.Arbitrary<Arms<A>> =>
  fc.record({ treatment: arm, control: arm });
