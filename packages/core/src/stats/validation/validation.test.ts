import { describe, expect, it } from 'vitest';
import { randomStream } from '../../../test/stats/random.ts';
import { binomialAcceptance, ksUniform, naivePeeking } from '../index.ts';

describe('peeking', () => {
  it('has the errors that Armitage, McPherson & Rowe tabulated', () => {
    const table = [1, 2, 5, 10, 20].map((looks) => {
      const peeking = naivePeeking(looks, 0.05);
      return peeking.status === 'ok' ? peeking.familywiseTypeI.toFixed(4) : peeking.status;
    });
    expect(table).toEqual(['0.0500', '0.0831', '0.1417', '0.1934', '0.2479']);
  });
});

describe('acceptance', () => {
  it('of ten thousand simulations is the band of the specification', () => {
    expect(binomialAcceptance(10_000, 0.05, 0.001)).toEqual({
      status: 'ok',
      lowerCount: 430,
      upperCount: 573,
    });
  });
});

describe('the test of uniformity', () => {
  it('of one value is exact', () => {
    // P(max(u, 1 − u) ≥ d) = 2(1 − d).
    const test = ksUniform([0.3]);
    expect(test.status === 'ok' && test.pValue).toBeCloseTo(0.6, 12);
  });

  it('is continuous where its methods change', () => {
    const at = (n: number, d: number): number => {
      // The first d·n values lie at 0, the others where a uniform sample has them.
      const values = Array.from({ length: n }, (_, i) => Math.max(0, (i + 1) / n - d));
      const test = ksUniform(values);
      return test.status === 'ok' ? test.pValue : Number.NaN;
    };
    // The tail formula from n·d² = 4 on, and the limit law from n = 1000 on.
    expect(at(100, 0.1999) / at(100, 0.2001)).toBeCloseTo(1, 1);
    for (const x of [0.6, 1, 1.5]) {
      const [exact, limit] = [at(1000, x / Math.sqrt(1000)), at(1001, x / Math.sqrt(1001))];
      expect(Math.abs(exact / limit - 1)).toBeLessThan(0.01);
    }
  });

  it('tells uniform values from others', () => {
    const random = randomStream(3);
    const values = Array.from({ length: 500 }, random.uniform);
    const [uniform, squared] = [ksUniform(values), ksUniform(values.map((v) => v * v))];
    expect(uniform.status === 'ok' && uniform.pValue > 0.001).toBe(true);
    expect(squared.status === 'ok' && squared.pValue < 1e-20).toBe(true);
  });
});
