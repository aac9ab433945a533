import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { positiveSample, sample, value } from '../../../test/stats/arbitraries.ts';
import {
  capAt,
  deltaLift,
  fiellerInterval,
  fiellerLift,
  logLift,
  meanInterval,
  ratioOfMoments,
  ratioSample,
  type Sample,
  scoreDifference,
  unitsForSkewness,
  welchDifference,
  winsorizeUpper,
} from '../index.ts';

const close = (a: number, b: number, rel = 1e-9): boolean =>
  Math.abs(a - b) <= rel * Math.max(Math.abs(a), Math.abs(b), 1e-12);

describe('the difference of means', () => {
  it('does not see a constant that is added to all data', () => {
    fc.assert(
      fc.property(sample, sample, fc.integer({ min: -1000, max: 1000 }), (t, c, shift) => {
        const whole = ({ n, mean, variance }: Sample, by: number): Sample => ({
          n,
          mean: Math.round(mean) + by,
          variance,
        });
        expect(welchDifference(whole(t, shift), whole(c, shift), 0.05)).toEqual(
          welchDifference(whole(t, 0), whole(c, 0), 0.05),
        );
      }),
    );
  });

  it('approaches the normal distribution', () => {
    const arm = (mean: number): Sample => ({ n: 1_000_000_000, mean, variance: 1 });
    const test = welchDifference(arm(1), arm(1 + 1e-4), 0.05);
    if (test.status !== 'ok') throw new Error(test.status);
    expect((test.upper - test.diff) / test.se).toBeCloseTo(1.959963984540054, 8);
  });

  it('works with one constant arm', () => {
    const constant = { n: 10, mean: 1, variance: 0 };
    const test = welchDifference({ n: 20, mean: 2, variance: 4 }, constant, 0.05);
    expect(test).toMatchObject({ status: 'ok', df: 19 });
  });

  it('of squares that underflow still has degrees of freedom', () => {
    const tiny = { n: 10, mean: 1e-200, variance: 1e-300 };
    expect(welchDifference(tiny, { ...tiny, mean: 0 }, 0.05)).toMatchObject({ df: 18 });
  });
});

describe('the lift', () => {
  it('by Fieller tends to that of the delta method when the control is known', () => {
    const t = { n: 100, mean: 11, variance: 4 };
    const c = { n: 1_000_000_000, mean: 10, variance: 1e-9 };
    const [fieller, delta] = [fiellerLift(t, c, 0.05), deltaLift(t, c, 0.05)];
    if (fieller.status !== 'ok' || delta.status !== 'ok') throw new Error('refused');
    expect(close(fieller.lower, delta.lower, 1e-7)).toBe(true);
    expect(close(fieller.upper, delta.upper, 1e-7)).toBe(true);
  });

  it('is the same by three methods', () => {
    fc.assert(
      fc.property(positiveSample, positiveSample, (t, c) => {
        const lifts = [fiellerLift, deltaLift, logLift].map((method) => method(t, c, 0.05));
        return lifts.every(
          (lift) => lift.status === 'ok' && Math.abs(lift.lift - (t.mean / c.mean - 1)) < 1e-12,
        );
      }),
    );
  });

  it('keeps the digits of the limit that stays when the other runs away', () => {
    // The control is all but lost in its error; evaluated with 50 digits.
    const pair = {
      treatment: 1.5,
      control: 1,
      varianceTreatment: 0.01,
      varianceControl: 1 - 1e-12,
    };
    const positive = fiellerInterval(pair, 1);
    expect(positive.lower).toBeCloseTo(-0.2533333333331475, 14);
    const negative = fiellerInterval({ ...pair, treatment: -1.5, control: -1 }, 1);
    expect(negative.upper).toBe(-positive.lower);
    const none = { ...pair, treatment: 1, control: 1, varianceTreatment: 0, varianceControl: 0 };
    expect(fiellerInterval(none, 1)).toMatchObject({ lower: 0, upper: 0 });
  });

  it('points in the direction of the movement when means are negative', () => {
    const lift = fiellerLift(
      { n: 100, mean: -8, variance: 1 },
      { n: 100, mean: -10, variance: 1 },
      0.05,
    );
    expect(lift).toMatchObject({ status: 'ok', lift: 0.2, flags: ['NEGATIVE_BASELINE'] });
    if (lift.status === 'ok') expect(lift.lower).toBeGreaterThan(0);
  });

  it('keeps what is known without a baseline or variance', () => {
    const flat = { n: 10, mean: 0, variance: 0 };
    expect(fiellerLift({ ...flat, mean: 3 }, { ...flat, mean: 2 }, 0.05)).toEqual({
      status: 'ZERO_VARIANCE',
      diff: 1,
      lift: 0.5,
    });
    expect(fiellerLift({ n: 9, mean: 3, variance: 1 }, flat, 0.05)).toMatchObject({
      status: 'ZERO_BASELINE',
      diff: 3,
    });
    expect(logLift({ n: 9, mean: -1, variance: 1 }, { n: 9, mean: 2, variance: 1 }, 0.05)).toEqual({
      status: 'ok',
      lift: -1.5,
      seLog: null,
      lower: null,
      upper: null,
    });
  });

  it('of correlated estimates narrows with their correlation', () => {
    const pair = { treatment: 11, control: 10, varianceTreatment: 0.1, varianceControl: 0.1 };
    const width = (covariance: number): number => {
      const { lower, upper } = fiellerInterval({ ...pair, covariance }, 2);
      return upper - lower;
    };
    expect(width(0.05)).toBeLessThan(width(0));
  });
});

describe('a ratio of sums', () => {
  it('with a denominator of one is a mean', () => {
    const sums = {
      n: 4,
      sumNumerator: 10,
      sumDenominator: 4,
      sumNumeratorSquares: 30,
      sumDenominatorSquares: 4,
      sumProduct: 10,
    };
    expect(ratioSample(sums)).toEqual({
      status: 'ok',
      sample: { n: 4, mean: 2.5, variance: 5 / 3 },
      flags: [],
    });
  });

  it('does not depend on the constants that were subtracted', () => {
    const units = Array.from({ length: 50 }, (_, i) => ({ y: (i * 7) % 11, d: 1 + (i % 5) }));
    const sums = (cy: number, cd: number) => {
      const add = (f: (y: number, d: number) => number): number =>
        units.reduce((sum, { y, d }) => sum + f(y - cy, d - cd), 0);
      return ratioSample({
        n: units.length,
        sumNumerator: add((y) => y),
        sumDenominator: add((_, d) => d),
        sumNumeratorSquares: add((y) => y * y),
        sumDenominatorSquares: add((_, d) => d * d),
        sumProduct: add((y, d) => y * d),
        numeratorShift: cy,
        denominatorShift: cd,
      });
    };
    const [a, b] = [sums(0, 0), sums(5, 3)];
    if (a.status !== 'ok' || b.status !== 'ok') throw new Error('refused');
    expect(close(a.sample.mean, b.sample.mean, 1e-14)).toBe(true);
    expect(close(a.sample.variance, b.sample.variance, 1e-12)).toBe(true);
  });

  it('warns of a denominator that is hardly above zero, and refuses one of zero', () => {
    const moments = (meanD: number) => ({
      n: 100,
      mean: [1, meanD],
      products: [
        [99, 0],
        [0, 99],
      ],
    });
    expect(ratioOfMoments(moments(0.7))).toMatchObject({ flags: ['WEAK_DENOMINATOR'] });
    expect(ratioOfMoments(moments(0.9))).toMatchObject({ flags: [] });
    expect(ratioOfMoments(moments(0))).toEqual({ status: 'ZERO_DENOMINATOR' });
  });
});

describe('winsorizing', () => {
  it('takes one cap for all arms', () => {
    const arms = [
      [0, 1, 2, 3],
      [0, 1, 2, 1000],
    ];
    const result = winsorizeUpper(arms, 0.9);
    expect(result.status === 'ok' && result.cap).toBeCloseTo(302.1, 9);
    expect(capAt(arms, 2)).toMatchObject([{ mean: 1.25 }, { mean: 1.25 }]);
  });

  it('can leave zeros out, and then finds no cap among zeros alone', () => {
    expect(winsorizeUpper([[0, 0, 0, 4], [0]], 0.5, true)).toMatchObject({ cap: 4 });
    expect(winsorizeUpper([[0, 0], [0]], 0.5, true)).toMatchObject({ cap: null });
  });

  it('at the highest percentile changes nothing', () => {
    fc.assert(
      fc.property(fc.array(value(-10, 10), { minLength: 1 }), (values) => {
        const result = winsorizeUpper([values], 1);
        const [plain] = capAt([values], null);
        expect(result).toMatchObject({ status: 'ok', arms: [plain] });
      }),
    );
  });
});

describe('one mean', () => {
  it('lies in its interval', () => {
    expect(meanInterval({ n: 4, mean: 1, variance: 4 }, 0.05)).toMatchObject({
      estimate: 1,
      se: 1,
    });
    const t = meanInterval({ n: 4, mean: 1, variance: 4 }, 0.05);
    expect(t.status === 'ok' && t.upper).toBeCloseTo(1 + 3.182446305283708, 12);
  });

  it('of binary data agrees with the score test in large samples', () => {
    const arm = (x: number, n: number): Sample => {
      const p = x / n;
      return { n, mean: p, variance: (p * (1 - p) * n) / (n - 1) };
    };
    const welch = welchDifference(arm(50_500, 100_000), arm(50_000, 100_000), 0.05);
    const score = scoreDifference({ x: 50_500, n: 100_000 }, { x: 50_000, n: 100_000 }, 0.05);
    if (welch.status !== 'ok' || score.status !== 'ok') throw new Error('refused');
    expect(welch.pValue).toBeCloseTo(score.pValue, 4);
    expect(welch.lower).toBeCloseTo(score.lower, 7);
  });

  it('of skewed data needs many units', () => {
    expect(unitsForSkewness(2)).toBe(1420);
  });
});
