import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { input, means, metric, quantile, rate, ratios } from '../../test/analysis/inputs.ts';
import { bayesNormal, deltaLift, LIFT_PRIOR, normalCdf } from '../stats/index.ts';
import { analyse } from './analyse.ts';
import { minimumDetectableEffect } from './detectable-effect.ts';
import type { AnalysisMetric, AnalysisOptions, ArmData, Comparison } from './types.ts';

/** The only comparison of a metric. */
function compare(
  data: readonly ArmData[],
  options: Partial<AnalysisOptions>,
  fields: Partial<AnalysisMetric> = {},
): Comparison {
  const comparison = analyse(input([metric(data, fields)], options)).metrics[0]?.comparisons[1];
  if (!comparison) throw new Error('nothing was compared');
  return comparison;
}

const OPEN: Partial<AnalysisOptions> = { method: 'sequential', isOver: false };

/** An arm of which only the moments matter. */
const mean = (n: number, value: number, variance: number): ArmData => ({
  kind: 'mean',
  total: n * value,
  moments: { n, mean: [value], products: [[variance * (n - 1)]] },
});

const arm = fc
  .record({
    n: fc.integer({ min: 100, max: 100_000 }),
    value: fc.double({ min: 1, max: 1.2, noNaN: true }),
    variance: fc.double({ min: 0.1, max: 4, noNaN: true }),
  })
  .map(({ n, value, variance }) => mean(n, value, variance));

describe('the sequential method', () => {
  it('lets a small arm of small variance make no doubt of a large control', () => {
    const found = compare([mean(20_000, 1, 100), mean(500, 1, 4)], OPEN);
    expect(found.flags).toEqual([]);
    // About as wide as the difference, since a mean of 1 is far above its own error.
    expect(found.liftLower).toBeCloseTo(found.lower ?? Number.NaN, 1);
    expect(found.liftUpper).toBeCloseTo(found.upper ?? Number.NaN, 0);
    expect(found.liftUpper).toBeLessThan(1.6);
  });

  it('divides the error of a lift alike, whichever arm is the larger by a user', () => {
    const limits = [201, 200, 199].map((n) => {
      const { liftLower, liftUpper } = compare([mean(200, 1, 2), mean(n, 0.6, 0.5)], OPEN);
      return [liftLower ?? Number.NaN, liftUpper ?? Number.NaN] as const;
    });
    for (const [lower, upper] of limits) {
      expect(lower / (limits[0]?.[0] ?? 0)).toBeCloseTo(1, 1);
      expect(upper / (limits[0]?.[1] ?? 0)).toBeCloseTo(1, 1);
    }
  });

  it('gives p-value, interval and lift that agree, with a plan and without', () => {
    const plans = fc.constantFrom(null, 50_000, 1_000);
    fc.assert(
      fc.property(arm, arm, plans, (control, treatment, plannedUsers) => {
        const found = compare([control, treatment], { ...OPEN, plannedUsers });
        const excludes = (lower: number | null, upper: number | null): boolean =>
          (lower ?? -1) > 0 || (upper ?? 1) < 0;
        const isSignificant = excludes(found.lower, found.upper);
        expect((found.pValue ?? 1) < 0.05).toBe(isSignificant);
        expect(excludes(found.liftLower, found.liftUpper)).toBe(isSignificant);
        expect(found.significant).toBe(isSignificant);
      }),
    );
  });

  it('needs more of an early look with a plan than of a late one', () => {
    const data = [rate(1000, 100), rate(1000, 135)];
    const at = (plannedUsers: number, options: Partial<AnalysisOptions> = {}) =>
      compare(data, { ...OPEN, plannedUsers, ...options }).pValue ?? Number.NaN;
    expect(at(2000)).toBeLessThan(at(2500));
    expect(at(2500)).toBeLessThan(at(10_000));
    // Who stops when it looks good has had all the looks there are; a planned end has one more.
    expect(at(2500, { isOver: true })).toBe(at(2500));
    expect(at(2500, { isOver: true, endedAsPlanned: true })).toBeLessThan(at(2500));
    expect(compare(data, { ...OPEN, plannedUsers: 2000 }).test).toBe('group_sequential');
    expect(compare(data, OPEN).test).toBe('confidence_sequence');
  });

  it.each([
    ['99 users in an arm', [rate(5000, 500), rate(99, 40)]],
    ['nine successes', [rate(5000, 500), rate(5000, 9)]],
    ['nine failures', [rate(5000, 4991), rate(5000, 2000)]],
    ['few values', [mean(99, 1, 1), mean(5000, 9, 1)]],
    [
      'a denominator near zero',
      ratios(
        Array.from({ length: 500 }, (_, i) => (i % 50 === 0 ? [5 + (i % 3), 1] : [0, 0])),
        Array.from({ length: 500 }, (_, i) => (i % 5 === 0 ? [9 + (i % 3), 1] : [0, 0])),
      ),
    ],
  ])('is not released with %s: it estimates, and says nothing more', (_, data) => {
    const found = compare(data, OPEN);
    expect(found).toMatchObject({
      status: 'ok',
      pending: 'not_released',
      lower: null,
      upper: null,
      liftLower: null,
      liftUpper: null,
      pValue: null,
      pValueAdjusted: null,
      significant: false,
    });
    expect(found.difference).not.toBeNull();
    expect(found.lift).not.toBeNull();
    expect(found.standardError).not.toBeNull();
  });

  it('counts goals in the family that are not released yet', () => {
    const released = metric([rate(2000, 200), rate(2000, 260)]);
    const rare = metric([rate(2000, 1), rate(2000, 3)], { key: 'rare' });
    const [first, second] = analyse(input([released, rare], OPEN)).metrics;
    const { pValue, pValueAdjusted } = first?.comparisons[1] ?? {};
    expect(pValueAdjusted).toBeCloseTo(2 * (pValue ?? Number.NaN), 12);
    expect(second?.comparisons[1]?.pValueAdjusted).toBeNull();
    const [alone] = analyse(input([released], OPEN)).metrics;
    expect(alone?.comparisons[1]?.pValueAdjusted).toBe(pValue);
  });

  it('takes the pooled variance where a small arm knows too little of its own', () => {
    const found = compare([mean(10_000, 1, 4), mean(200, 1.1, 0.01)], OPEN);
    expect(found.standardError).toBeCloseTo(2 / Math.sqrt(200), 2);
  });

  it('compares quantiles and averages too', () => {
    const users = (scale: number) =>
      Array.from({ length: 900 }, (_, i) => [scale * (1 + ((i * 37) % 101))]);
    const one = quantile(users(1), 0.5);
    const two = quantile(users(2), 0.5);
    expect(compare([one, two], OPEN)).toMatchObject({ status: 'ok', significant: true });
    const visits = (shift: number) =>
      Array.from({ length: 900 }, (_, i) => [(1 + (i % 3)) * (5 + (i % 7) + shift), 1 + (i % 3)]);
    const found = compare(ratios(visits(0), visits(1)), OPEN);
    expect(found).toMatchObject({ status: 'ok', significant: true });
    expect(found.difference).toBeCloseTo(1, 6);
  });
});

describe('the Bayesian method', () => {
  const BAYES: Partial<AnalysisOptions> = { method: 'bayesian', isOver: false };

  it('gives the posterior of the lift', () => {
    const [c, t] = [
      { n: 900, mean: 10, variance: 25 },
      { n: 800, mean: 10.6, variance: 36 },
    ];
    const data = [c, t].map(({ n, mean: value, variance }) => mean(n, value, variance));
    const lift = deltaLift(t, c, 0.05);
    if (lift.status !== 'ok') throw new Error(lift.status);
    const posterior = bayesNormal(lift.lift, lift.se, { prior: LIFT_PRIOR });
    if (posterior.status !== 'ok') throw new Error(posterior.status);
    const found = compare(data, BAYES);
    expect(found).toMatchObject({ test: 'bayes_normal', pValue: null, pValueAdjusted: null });
    expect(found.chanceToWin).toBeCloseTo(posterior.chanceToWin, 12);
    expect(found.expectedLoss).toBeCloseTo(posterior.expectedLossChooseTreatment, 12);
    expect(found.liftLower).toBeCloseTo(posterior.lower, 12);
    expect(found.lower).toBeCloseTo(10 * posterior.lower, 12);
    const inverse = compare(data, BAYES, { direction: 'decrease' });
    expect(inverse.chanceToWin).toBeCloseTo(1 - posterior.chanceToWin, 12);
  });

  it('is significant when the chance is extreme, in either direction', () => {
    const at = (value: number) => compare([mean(1000, 10, 25), mean(1000, value, 25)], BAYES);
    expect(at(11)).toMatchObject({ significant: true, isBetter: true });
    expect(at(9)).toMatchObject({ significant: true, isBetter: false });
    expect(at(10.1)).toMatchObject({ significant: false, isBetter: null });
  });

  it('is of the difference where the control cannot be told from zero', () => {
    const zero = compare([rate(1000, 0), rate(1000, 12)], BAYES);
    expect(zero).toMatchObject({ status: 'ZERO_BASELINE', lift: null, liftLower: null });
    expect(zero.chanceToWin).toBeCloseTo(
      normalCdf((zero.difference ?? 0) / (zero.standardError ?? 0)),
      12,
    );
    const noisy = compare([mean(1000, 0.01, 1), mean(1000, 0.3, 1)], BAYES);
    expect(noisy.flags).toEqual(['UNBOUNDED_LIFT']);
    expect(noisy).toMatchObject({ status: 'ok', liftLower: null, significant: true });
  });

  it('sees that a treatment without a single success is worse', () => {
    const found = compare([rate(10_000, 50), rate(10_000, 0)], BAYES);
    expect(found).toMatchObject({ status: 'ok', lift: -1, significant: true, isBetter: false });
  });
});

describe('a guardrail', () => {
  const ROLE = { role: 'guardrail', margin: 0.05 } as const;
  const LARGE = [rate(100_000, 10_000), rate(100_000, 10_010)];
  const METHODS: readonly Partial<AnalysisOptions>[] = [
    { method: 'fixed' },
    OPEN,
    { ...OPEN, plannedUsers: 300_000 },
    { method: 'bayesian', isOver: false },
  ];

  it.each(METHODS)('passes when its margin is shown to hold: %o', (options) => {
    const { guardrail } = compare(LARGE, options, ROLE);
    expect(guardrail).toMatchObject({ margin: 0.05, verdict: 'passed' });
    const less = compare([...LARGE].reverse(), options, { ...ROLE, direction: 'decrease' });
    expect(less.guardrail?.verdict).toBe('passed');
  });

  it.each(METHODS)('fails when the treatment is worse by more: %o', (options) => {
    const data = [rate(100_000, 10_000), rate(100_000, 8_000)];
    expect(compare(data, options, ROLE).guardrail?.verdict).toBe('failed');
    expect(compare(data, options, { ...ROLE, margin: null }).guardrail?.verdict).toBe('failed');
  });

  it.each(METHODS)('is undecided between: %o', (options) => {
    const data = [rate(1000, 100), rate(1000, 99)];
    expect(compare(data, options, ROLE).guardrail?.verdict).toBe('undecided');
  });

  it('has no margin of a control of zero, and shows none before its release', () => {
    const zero = compare([rate(1000, 0), rate(1000, 0)], { method: 'fixed' }, ROLE).guardrail;
    expect(zero).toMatchObject({ pValue: null, chance: null, verdict: 'undecided' });
    const early = compare([rate(1000, 9), rate(1000, 9)], OPEN, ROLE).guardrail;
    expect(early).toMatchObject({ pValue: null, verdict: 'undecided' });
    const waiting = compare(LARGE, { isOver: false }, ROLE);
    expect(waiting.guardrail?.verdict).toBe('undecided');
  });

  it('without a margin passes at the end when no harm was found', () => {
    const free = { ...ROLE, margin: null };
    expect(compare(LARGE, { method: 'fixed' }, free).guardrail?.verdict).toBe('passed');
    expect(compare(LARGE, OPEN, free).guardrail?.verdict).toBe('undecided');
  });
});

describe('what cannot be computed', () => {
  const METHODS = ['fixed', 'sequential', 'bayesian'] as const;

  it.each([
    ['no users', [rate(500, 50), rate(0, 0)], 'NO_UNITS'],
    ['no users of a mean', [mean(500, 1, 1), mean(0, Number.NaN, 0)], 'NO_UNITS'],
    ['one user', means([[1], [2], [3]], [[2]]), 'INSUFFICIENT_UNITS'],
    ['two constant arms', [mean(500, 1, 0), mean(500, 2, 0)], 'ZERO_VARIANCE'],
    [
      'no denominator',
      ratios(
        [
          [1, 1],
          [3, 2],
        ],
        [
          [0, 0],
          [0, 0],
        ],
      ),
      'ZERO_DENOMINATOR',
    ],
    ['no events', [quantile([[1, 2], [3]], 0.5), quantile([[], []], 0.5)], 'NO_UNITS'],
    ['impossible counts', [rate(500, 50), rate(10, 11)], 'INVALID_INPUT'],
    ['values that are none', [mean(500, 1, 1), mean(500, Number.NaN, 1)], 'INVALID_INPUT'],
  ] as const)('is refused: %s', (_, data, status) => {
    for (const method of METHODS) {
      const found = compare(data, { method });
      expect(found).toMatchObject({
        status,
        standardError: null,
        lower: null,
        liftLower: null,
        pValue: null,
        chanceToWin: null,
        expectedLoss: null,
        detectableEffect: null,
        significant: false,
      });
    }
  });

  it.each(METHODS)('is not made up of all zeros or all ones: %s', (method) => {
    for (const x of [0, 500]) {
      const { metrics } = analyse(input([metric([rate(500, x), rate(500, x)])], { method }));
      const found = metrics[0]?.comparisons[1];
      expect(found).toMatchObject({ difference: 0, standardError: null, significant: false });
      // The score test alone has an answer.
      expect(found?.pValue).toBe(method === 'fixed' ? 1 : null);
      expect(metrics[0]?.arms[0]?.standardError).toBeNull();
    }
  });

  it.each(METHODS)('is not what one constant arm is: %s', (method) => {
    const found = compare([mean(500, 1, 0), mean(500, 1.5, 4)], { method });
    expect(found).toMatchObject({ status: 'ok', significant: true });
  });

  it.each(METHODS)('is only the lift of a control of zero: %s', (method) => {
    const found = compare([mean(500, 0, 1), mean(500, 1, 1)], { method });
    expect(found).toMatchObject({
      status: 'ZERO_BASELINE',
      difference: 1,
      lift: null,
      significant: true,
    });
  });

  it.each(METHODS)('is nothing of a negative control: %s', (method) => {
    const found = compare([mean(500, -2, 1), mean(500, -1, 1)], { method });
    expect(found.flags).toEqual(['NEGATIVE_BASELINE']);
    expect(found).toMatchObject({ status: 'ok', difference: 1, lift: 0.5, isBetter: true });
    expect(found.liftLower).toBeGreaterThan(0);
  });

  it.each(METHODS)('is nothing of fifty arms and a billion users: %s', (method) => {
    const n = 1_000_000_000;
    const data = Array.from({ length: 50 }, (_, k) => rate(n, n / 10 + k * 10_000));
    const { metrics } = analyse(input([metric(data)], { method }));
    const last = metrics[0]?.comparisons[49];
    expect(last).toMatchObject({ status: 'ok', significant: true, isBetter: true });
    if (method !== 'bayesian') expect(last?.pValue).toBeGreaterThan(0);
  });
});

describe('the detectable effect', () => {
  it('is that of the first goal, by the critical value of the method', () => {
    const data = [rate(1000, 100), rate(1000, 110), rate(400, 40)];
    const of = (options: Partial<AnalysisOptions>) =>
      minimumDetectableEffect(analyse(input([metric(data)], options))) ?? Number.NaN;
    const fixed = of({ method: 'fixed' });
    const se = Math.sqrt((0.1 * 0.9) / 1000 + (0.1 * 0.9) / 400);
    expect(fixed).toBeCloseTo((2.8016 * se) / 0.1, 3);
    expect(of(OPEN)).toBeGreaterThan(fixed);
    expect(of({ ...OPEN, plannedUsers: 2400 })).toBeLessThan(of(OPEN));
    expect(minimumDetectableEffect(analyse(input([])))).toBeNull();
  });
});
