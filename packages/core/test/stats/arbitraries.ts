import fc from 'fast-check';
import type { Proportion, Sample } from '../../src/stats/index.ts';

/** Numbers of a comfortable size, so that a property is not about rounding. */
export const value = (min: number, max: number) =>
  fc.double({ min, max, noNaN: true, noDefaultInfinity: true });

export const sample: fc.Arbitrary<Sample> = fc.record({
  n: fc.integer({ min: 2, max: 1_000_000 }),
  mean: value(-100, 100),
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
