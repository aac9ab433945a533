import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { value } from '../../test/stats/arbitraries.ts';
import {
  covarianceOf,
  type JointMoments,
  jointMomentsFromSums,
  type Moments,
  mergeJointMoments,
  mergeMoments,
  momentsFromSums,
  varianceOf,
} from './index.ts';

const momentsOf = (values: readonly number[], shift = 0): Moments =>
  momentsFromSums(
    values.length,
    values.reduce((sum, x) => sum + (x - shift), 0),
    values.reduce((sum, x) => sum + (x - shift) ** 2, 0),
    shift,
  );

const values = fc.array(value(-1000, 1000), { maxLength: 30 });
const pairs = fc.array(fc.tuple(value(-100, 100), value(-100, 100)), { minLength: 1 });

const jointOf = (units: readonly (readonly [number, number])[]): JointMoments => {
  const add = (f: (y: number, d: number) => number): number =>
    units.reduce((sum, [y, d]) => sum + f(y, d), 0);
  const product = add((y, d) => y * d);
  return jointMomentsFromSums(
    units.length,
    [add((y) => y), add((_, d) => d)],
    [
      [add((y) => y * y), product],
      [product, add((_, d) => d * d)],
    ],
  );
};

describe('moments', () => {
  it('of parts merge into those of the whole, in any order and grouping', () => {
    fc.assert(
      fc.property(values, values, values, (a, b, c) => {
        fc.pre(a.length + b.length + c.length > 0);
        const whole = momentsOf([...a, ...b, ...c]);
        const [x, y, z] = [momentsOf(a), momentsOf(b), momentsOf(c)];
        const groupings = [
          mergeMoments(mergeMoments(x, y), z),
          mergeMoments(x, mergeMoments(z, y)),
          mergeMoments(z, mergeMoments(y, x)),
        ];
        for (const merged of groupings) {
          expect(merged.n).toBe(whole.n);
          expect(Math.abs(merged.mean - whole.mean)).toBeLessThan(1e-10);
          expect(Math.abs(merged.m2 - whole.m2)).toBeLessThan(1e-5);
        }
      }),
    );
  });

  it('keep the variance of values far from zero when they are shifted', () => {
    const far = [1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16];
    expect(varianceOf(momentsOf(far, 1e9))).toBe(30);
    expect(momentsOf(far, 1e9).mean).toBe(1e9 + 10);
  });

  it('never have a variance below zero', () => {
    expect(momentsFromSums(3, 0.3, 0.03 - 1e-18).m2).toBeGreaterThanOrEqual(0);
  });

  it('are frozen', () => {
    expect(Object.isFrozen(momentsOf([1, 2]))).toBe(true);
    const joint = jointOf([[1, 2]]);
    expect(Object.isFrozen(joint) && Object.isFrozen(joint.products[0])).toBe(true);
  });
});

describe('joint moments', () => {
  it('of parts merge into those of the whole', () => {
    fc.assert(
      fc.property(pairs, pairs, (a, b) => {
        const whole = jointOf([...a, ...b]);
        const [left, right] = [jointOf(a), jointOf(b)];
        for (const merged of [mergeJointMoments(left, right), mergeJointMoments(right, left)]) {
          expect(merged.n).toBe(whole.n);
          merged.mean.forEach((mean, i) => {
            expect(Math.abs(mean - (whole.mean[i] ?? Number.NaN))).toBeLessThan(1e-11);
          });
          merged.products.flat().forEach((product, i) => {
            expect(Math.abs(product - (whole.products.flat()[i] ?? Number.NaN))).toBeLessThan(1e-7);
          });
        }
      }),
    );
  });

  it('of nothing add nothing', () => {
    const some = jointOf([
      [1, 2],
      [3, 1],
    ]);
    const none = { n: 0, mean: [], products: [] };
    expect(mergeJointMoments(none, some)).toBe(some);
    expect(mergeJointMoments(some, none)).toBe(some);
    expect(covarianceOf(some)).toEqual([
      [2, -1],
      [-1, 0.5],
    ]);
  });
});
