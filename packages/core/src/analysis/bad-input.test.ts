import { describe, expect, it } from 'vitest';
import { input, means, metric, rate } from '../../test/analysis/inputs.ts';
import { chiSquareSrm, sequentialSrm } from '../stats/index.ts';
import { analyse } from './analyse.ts';
import type { AnalysisMethod, ArmData, Comparison } from './types.ts';

// What experiments come to in practice, each with the refusal of §0.3 or a right number.

const METHODS: readonly AnalysisMethod[] = ['fixed', 'sequential', 'bayesian'];

const repeat = (count: number, value: (index: number) => readonly number[]) =>
  Array.from({ length: count }, (_, index) => value(index));
const constant = (count: number, value: number) => repeat(count, () => [value]);
/** Around a mean, with a deviation near 1. */
const varying = (count: number, mean: number) =>
  repeat(count, (index) => [mean + ((index % 5) - 2) / Math.SQRT2]);
/** A billion users need no rows. */
const huge = (mean: number): ArmData => ({
  kind: 'mean',
  total: mean * 1e9,
  moments: { n: 1e9, mean: [mean], products: [[1e9 - 1]] },
});

/** A control and a treatment, and what every method says of them. */
const CASES: readonly (readonly [string, readonly ArmData[], Partial<Comparison>])[] = [
  ['no unit in an arm', [rate(200, 40), rate(0, 0)], { status: 'NO_UNITS', difference: null }],
  ['no unit at all', means([], []), { status: 'NO_UNITS', difference: null }],
  [
    'one unit in an arm',
    means(varying(200, 10), [[12]]),
    { status: 'INSUFFICIENT_UNITS', pValue: null, lower: null, chanceToWin: null },
  ],
  [
    'two constant arms',
    means(constant(200, 3), constant(200, 4)),
    { status: 'ZERO_VARIANCE', difference: 1, lift: 1 / 3, pValue: null, lower: null },
  ],
  [
    'a control whose mean is 0',
    means(varying(200, 0), varying(200, 1)),
    { status: 'ZERO_BASELINE', lift: null, liftLower: null },
  ],
  [
    'a control whose mean is negative',
    means(varying(200, -10), varying(200, -9)),
    { status: 'ok' },
  ],
  ['one constant arm', means(constant(200, 3), varying(200, 4)), { status: 'ok' }],
  ['a billion users', [huge(10), huge(10.001)], { status: 'ok' }],
];

const compared = (data: readonly ArmData[], method: AnalysisMethod): Comparison => {
  const [found] = analyse(input([metric(data)], { method })).metrics;
  const comparison = found?.comparisons[1];
  if (!comparison) throw new Error('nothing was compared');
  return comparison;
};

describe.each(METHODS)('by the %s method', (method) => {
  it.each(CASES)('%s', (_, data, expected) => {
    const found = compared(data, method);
    expect(found).toMatchObject(expected);
    const numbers = Object.values(found).filter((value) => typeof value === 'number');
    expect(numbers.every(Number.isFinite)).toBe(true);
    if (found.status !== 'ok' && found.status !== 'ZERO_BASELINE') {
      expect(found).toMatchObject({ pValue: null, chanceToWin: null, significant: false });
    }
  });

  it('a negative baseline counts by its size', () => {
    const found = compared(means(varying(200, -10), varying(200, -9)), method);
    expect(found.flags).toContain('NEGATIVE_BASELINE');
    expect(found.difference).toBeCloseTo(1, 12);
    expect(found.lift).toBeCloseTo(0.1, 12);
  });

  it('all zeros and all ones are rates like others, and equal arms differ in nothing', () => {
    for (const x of [0, 300]) {
      const found = compared([rate(300, x), rate(300, x)], method);
      expect([found.difference, found.significant]).toEqual([0, false]);
      expect(found.pValue ?? 1).toBe(1);
    }
  });
});

it('a billion users are told apart by a hundredth of a thousandth of a deviation', () => {
  // Δ = 0.001 with √(2/1e9) for its error: 22.4 standard errors.
  const found = compared([huge(10), huge(10.001)], 'fixed');
  expect(found.standardError).toBeCloseTo(Math.sqrt(2e-9), 12);
  expect(found.pValue).toBeGreaterThan(1e-112);
  expect(found.pValue).toBeLessThan(1e-109);
});

it('fifty arms share one family', () => {
  const data = Array.from({ length: 50 }, (_, arm) => rate(1000, arm === 49 ? 190 : 100));
  const [found] = analyse(input([metric(data)])).metrics;
  const last = found?.comparisons[49];
  expect(found?.comparisons).toHaveLength(50);
  expect(last?.pValueAdjusted).toBeCloseTo(49 * (last?.pValue ?? 1), 15);
  expect(found?.comparisons.filter((comparison) => comparison?.significant)).toHaveLength(1);
});

it('an arm of weight 0 takes no part in the split unless it has units', () => {
  expect(chiSquareSrm([500, 500, 0], [1, 1, 0])).toMatchObject({ status: 'ok', df: 1, pValue: 1 });
  expect(chiSquareSrm([500, 500, 1], [1, 1, 0])).toEqual({ status: 'UNEXPECTED_ARM' });
  expect(chiSquareSrm([500, 500], [0, 0])).toEqual({ status: 'UNEXPECTED_ARM' });
  expect(sequentialSrm([[500, 500, 1]], [1, 1, 0], 10_000)).toEqual({ status: 'UNEXPECTED_ARM' });
});

it('numbers that are none are refused, and shown nowhere', () => {
  const broken: ArmData = {
    kind: 'mean',
    total: Number.NaN,
    moments: { n: 200, mean: [Number.NaN], products: [[Number.NaN]] },
  };
  const [whole] = means(varying(200, 10));
  for (const method of METHODS) {
    const found = compared([whole ?? broken, broken], method);
    expect(found).toMatchObject({ status: 'INVALID_INPUT', difference: null, pValue: null });
  }
});
