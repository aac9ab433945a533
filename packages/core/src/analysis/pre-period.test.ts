import { describe, expect, it } from 'vitest';
import { type JointMoments, welchDifference } from '../stats/index.ts';
import { prePeriodTests } from './pre-period.ts';
import type { AnalysisMetric, ArmData } from './types.ts';

const arms = ['control', 'a', 'b'].map((key) => ({
  key,
  isControl: key === 'control',
  users: 400,
}));

/** Moments of uncorrelated values with these means and a variance of 4. */
const moments = (mean: readonly number[], n = 400): JointMoments => ({
  n,
  mean,
  products: mean.map((_, i) => mean.map((_, j) => (i === j ? 4 * (n - 1) : 0))),
});
const mean = (...means: number[]): ArmData => ({ kind: 'mean', total: 1, moments: moments(means) });
const ratio = (...means: number[]): ArmData => ({
  kind: 'ratio',
  numerator: 1,
  denominator: 1,
  about: 1,
  aboutBefore: 1,
  moments: moments(means),
});
const metric = (key: string, data: readonly ArmData[]): AnalysisMetric => ({
  key,
  role: 'goal',
  margin: null,
  direction: 'increase',
  data,
});
const welch = (a: number, b: number): number => {
  const test = welchDifference(
    { n: 400, mean: a, variance: 4 },
    { n: 400, mean: b, variance: 4 },
    0.05,
  );
  return test.status === 'ok' ? test.pValue : Number.NaN;
};

describe('what users did before', () => {
  it('is tested by Welch for every covariate and treatment, and adjusted over all', () => {
    const tests = prePeriodTests(arms, [
      metric('revenue', [mean(5, 10), mean(9, 10.2), mean(5, 11)]),
      metric('plain', [mean(5), mean(6), mean(7)]),
    ]);
    expect(tests.map(({ metric: key, arm }) => [key, arm])).toEqual([
      ['revenue', 'a'],
      ['revenue', 'b'],
    ]);
    expect(tests[0]?.pValue).toBeCloseTo(welch(10.2, 10), 12);
    expect(tests[1]?.pValueAdjusted).toBeCloseTo(2 * welch(11, 10), 12);
  });

  it('is of a ratio its worse half', () => {
    const [a, b] = prePeriodTests(arms, [
      metric('order', [ratio(0, 3, 0, 5), ratio(0, 3, 0, 6), ratio(0, 3, 0.5, 5)]),
    ]);
    expect(a?.pValue).toBeCloseTo(2 * welch(6, 5), 12);
    expect(b?.pValue).toBeCloseTo(2 * welch(0.5, 0), 12);
  });

  it('is not tested where nothing varies, nobody is, or nothing is a control', () => {
    const flat: ArmData = {
      kind: 'rate',
      n: 400,
      x: 10,
      joint: {
        n: 400,
        mean: [0.025, 0],
        products: [
          [9.75, 0],
          [0, 0],
        ],
      },
    };
    const none: ArmData = { kind: 'mean', total: 0, moments: moments([0, 0], 0) };
    expect(prePeriodTests(arms, [metric('flat', [flat, flat, flat])])).toEqual([]);
    expect(prePeriodTests(arms, [metric('none', [none, none, none])])).toEqual([]);
    const treatments = arms.map((arm) => ({ ...arm, isControl: false }));
    const means = [mean(5, 10), mean(9, 10.2), mean(5, 11)];
    expect(prePeriodTests(treatments, [metric('revenue', means)])).toEqual([]);
  });
});
