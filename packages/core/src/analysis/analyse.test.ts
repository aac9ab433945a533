import { describe, expect, it } from 'vitest';
import { input, means, metric, quantile, rate, rates, ratios } from '../../test/analysis/inputs.ts';
import { randomStream } from '../../test/stats/random.ts';
import {
  cupedDifference,
  fiellerLift,
  quantileDifference,
  scoreDifference,
  scoreLift,
  welchDifference,
  wilsonInterval,
} from '../stats/index.ts';
import { analyse } from './analyse.ts';
import type { AnalysisInput, ArmData, Comparison } from './types.ts';

/** The comparison of the first treatment in the first metric. */
function compared(given: AnalysisInput, metricIndex = 0, arm = 1): Comparison {
  const comparison = analyse(given).metrics[metricIndex]?.comparisons[arm];
  if (!comparison) throw new Error('nothing was compared');
  return comparison;
}

const fixed = (...data: readonly ArmData[]): Comparison => compared(input([metric(data)]));

const repeat = (count: number, user: (index: number) => readonly number[]) =>
  Array.from({ length: count }, (_, index) => user(index));

describe('the fixed method', () => {
  it('compares rates by Miettinen & Nurminen and the score lift, arms by Wilson', () => {
    const [control, treatment] = [rate(500, 40), rate(480, 61)];
    const { metrics } = analyse(input([metric([control, treatment])]));
    const difference = scoreDifference(treatment, control, 0.05);
    const lift = scoreLift(treatment, control, 0.05);
    const wilson = wilsonInterval(control, 0.05);
    if (difference.status !== 'ok' || lift.status !== 'ok' || wilson.status !== 'ok') {
      throw new Error('refused');
    }
    expect(metrics[0]?.comparisons[0]).toBeNull();
    expect(metrics[0]?.comparisons[1]).toMatchObject({
      status: 'ok',
      test: 'miettinen_nurminen',
      difference: difference.diff,
      lower: difference.lower,
      upper: difference.upper,
      lift: lift.lift,
      liftLower: lift.liftLower,
      liftUpper: lift.liftUpper,
      pValue: difference.pValue,
      pValueAdjusted: difference.pValue,
      significant: true,
      isBetter: true,
      pending: null,
      guardrail: null,
    });
    expect(metrics[0]?.arms[0]).toMatchObject({
      value: 0.08,
      sampleSize: 500,
      numerator: 40,
      denominator: 500,
      lower: wilson.lower,
      upper: wilson.upper,
    });
  });

  it('compares means by Welch and Fieller', () => {
    const usersOf = (count: number, step: number) => repeat(count, (i) => [step * (i % 7)]);
    const [control, treatment] = means(usersOf(80, 1), usersOf(60, 1.3));
    if (!control || !treatment) throw new Error('no arms');
    const sample = ({ moments: { n, mean, products } }: typeof control) => ({
      n,
      mean: mean[0] ?? 0,
      variance: (products[0]?.[0] ?? 0) / (n - 1),
    });
    const welch = welchDifference(sample(treatment), sample(control), 0.05);
    const lift = fiellerLift(sample(treatment), sample(control), 0.05);
    const found = fixed(control, treatment);
    if (welch.status !== 'ok' || lift.status !== 'ok') throw new Error('refused');
    expect(found).toMatchObject({ test: 'welch', pValue: welch.pValue, lower: welch.lower });
    expect(found.liftLower).toBeCloseTo(lift.lower, 12);
    expect(found.liftUpper).toBeCloseTo(lift.upper, 12);
  });

  it('compares averages by the residuals about their own ratio', () => {
    const control = [
      [1, 1],
      [2, 2],
      [2, 1],
    ];
    const treatment = [
      [3, 2],
      [3, 1],
      [0, 0],
      [12, 3],
    ];
    const unit = (users: readonly (readonly number[])[]) => {
      const total = (column: number) => users.reduce((sum, row) => sum + (row[column] ?? 0), 0);
      const ratio = total(0) / total(1);
      const squares = users.reduce((sum, [y = 0, d = 0]) => sum + (y - ratio * d) ** 2, 0);
      return squares / (users.length - 1) / (total(1) / users.length) ** 2 / users.length;
    };
    const found = fixed(...ratios(control, treatment));
    expect(found.test).toBe('welch_delta');
    expect(found.difference).toBeCloseTo(3 - 1.25, 6);
    expect(found.standardError).toBeCloseTo(Math.sqrt(unit(treatment) + unit(control)), 6);
  });

  it('compares quantiles with users as clusters', () => {
    const random = randomStream(3);
    const usersOf = (count: number, scale: number) =>
      repeat(count, (i) => repeat(1 + (i % 3), () => [scale * Math.exp(random.normal())]).flat());
    const data = [quantile(usersOf(400, 1), 0.5), quantile(usersOf(300, 2), 0.5)];
    const { metrics } = analyse(input([metric(data)]));
    const [control, treatment] = metrics[0]?.arms ?? [];
    const found = metrics[0]?.comparisons[1];
    const of = (arm: typeof control) => ({
      estimate: arm?.value ?? Number.NaN,
      se: arm?.standardError ?? Number.NaN,
    });
    const test = quantileDifference(of(treatment), of(control), 0.05);
    if (test.status !== 'ok') throw new Error(test.status);
    expect(found?.test).toBe('order_statistics');
    expect(found?.pValue).toBeCloseTo(test.pValue, 12);
    expect(found?.lift).toBeCloseTo(test.lift?.lift ?? 0, 12);
  });

  it('adjusts p-values of goals over metrics and treatments, and of nothing else', () => {
    const data = [rate(1000, 100), rate(1000, 130), rate(1000, 118)];
    const given = input([
      metric(data, { key: 'a' }),
      metric(data, { key: 'b', role: 'secondary' }),
      metric(data, { key: 'c', role: 'guardrail' }),
      metric(data, { key: 'd' }),
    ]);
    const { metrics } = analyse(given);
    const adjusted = metrics.map(({ comparisons }) => comparisons[1]?.pValueAdjusted);
    const p = metrics[0]?.comparisons[1]?.pValue ?? Number.NaN;
    expect(adjusted[0]).toBeCloseTo(4 * p, 12);
    expect(adjusted).toEqual([adjusted[0], null, null, adjusted[0]]);
    const isSignificant = metrics.map(({ comparisons }) => comparisons[1]?.significant);
    expect(p).toBeLessThan(0.05);
    expect(isSignificant).toEqual([4 * p < 0.05, true, true, 4 * p < 0.05]);
  });

  it('decides nothing before the planned end, nor with few users', () => {
    const data = [rate(1000, 100), rate(1000, 200)];
    const at = (options: Parameters<typeof input>[1]) => compared(input([metric(data)], options));
    const open = { isOver: false } as const;
    expect(at(open)).toMatchObject({ significant: false, pending: 'before_planned_end' });
    expect(at({ ...open, plannedUsers: 2001 }).pending).toBe('before_planned_end');
    expect(at({ ...open, plannedUsers: 2000 })).toMatchObject({ significant: true, pending: null });
    expect(at({ minSample: 1001 })).toMatchObject({
      significant: false,
      isBetter: null,
      pending: 'insufficient_users',
    });
    expect(analyse(input([metric(data)], { ...open, plannedUsers: 4000 }))).toMatchObject({
      informationFraction: 0.5,
      isFinal: false,
    });
  });

  it('takes a fall for better where less is', () => {
    const data = [rate(1000, 200), rate(1000, 100)];
    const found = compared(input([metric(data, { direction: 'decrease' })]));
    expect(found).toMatchObject({ significant: true, isBetter: true });
  });
});

describe('a covariate', () => {
  const random = randomStream(11);
  const users = (count: number, effect: number) =>
    repeat(count, () => {
      const x = 10 + random.normal();
      return [effect + 0.9 * x + 0.3 * random.normal(), x];
    });

  it('adjusts means, with the unadjusted result beside', () => {
    const data = means(users(300, 0), users(250, 0.1), users(200, 0));
    const [control, treatment, other] = data.map(({ moments: { n, mean, products } }) => ({
      n,
      meanY: mean[0] ?? 0,
      meanX: mean[1] ?? 0,
      varY: (products[0]?.[0] ?? 0) / (n - 1),
      varX: (products[1]?.[1] ?? 0) / (n - 1),
      covXY: (products[0]?.[1] ?? 0) / (n - 1),
    }));
    if (!control || !treatment || !other) throw new Error('no arms');
    const expected = cupedDifference(treatment, control, 0.05, [other]);
    if (expected.status !== 'ok') throw new Error(expected.status);
    const found = fixed(...data);
    expect(found.pValue).toBeCloseTo(expected.pValue, 12);
    expect(found.cuped?.theta).toBeCloseTo(expected.theta, 12);
    expect(found.cuped?.varianceReduction).toBeCloseTo(0.9, 1);
    expect(found.cuped?.unadjustedDifference).toBeCloseTo(treatment.meanY - control.meanY, 12);
    const raw = fixed(
      ...means(
        users(300, 0).map(([y = 0]) => [y]),
        users(250, 0.1).map(([y = 0]) => [y]),
      ),
    );
    expect(raw.cuped).toBeNull();
    expect(found.standardError).toBeLessThan((raw.standardError ?? 0) / 2);
  });

  it('adjusts rates as means of 0 and 1', () => {
    const of = (count: number) =>
      repeat(count, () => {
        const before = random.uniform() < 0.4 ? 1 : 0;
        return [random.uniform() < 0.2 + 0.6 * before ? 1 : 0, before];
      });
    const found = fixed(...rates(of(900), of(800)));
    expect(found.test).toBe('welch');
    expect(found.cuped?.theta).toBeCloseTo(0.6, 1);
    expect(found.cuped?.varianceReduction).toBeGreaterThan(0.2);
  });

  it('adjusts ratios by the ratios before', () => {
    const of = (count: number) =>
      repeat(count, () => {
        const taste = 5 + random.normal();
        const [d, m] = [1 + Math.floor(4 * random.uniform()), 1 + Math.floor(4 * random.uniform())];
        return [d * taste + 0.2 * random.normal(), d, m * taste + 0.2 * random.normal(), m];
      });
    const [control, treatment] = [of(400), of(500)];
    const found = fixed(...ratios(control, treatment));
    const raw = fixed(
      ...ratios(
        control.map((row) => row.slice(0, 2)),
        treatment.map((row) => row.slice(0, 2)),
      ),
    );
    expect(found.test).toBe('welch_delta');
    expect(found.cuped?.unadjustedDifference).toBeCloseTo(raw.difference ?? Number.NaN, 12);
    expect(found.cuped?.unadjustedStandardError).toBeCloseTo(raw.standardError ?? Number.NaN, 9);
    expect(found.standardError).toBeLessThan(0.6 * (raw.standardError ?? 0));
    expect(Math.abs(found.lift ?? 1)).toBeLessThan(0.05);
    // An arm whose users did nothing before has no ratio to give, but holds up no other.
    const fresh = of(100).map(([y = 0, d = 0]) => [y, d, 0, 0]);
    const given = input([metric(ratios(control, treatment, fresh))]);
    expect(compared(given).cuped).not.toBeNull();
    expect(compared(given, 0, 2).cuped).toBeNull();
  });

  it('that does not vary, or too few users, leave the result as it is', () => {
    const constant = (count: number) => users(count, 0).map(([y = 0]) => [y, 4.2]);
    const flat = fixed(...means(constant(100), constant(90)));
    expect(flat).toMatchObject({ status: 'ok', cuped: null, flags: ['DEGENERATE_COVARIATE'] });
    expect(fixed(...means(users(49, 0), users(300, 0))).cuped).toBeNull();
    expect(fixed(...means(users(50, 0), users(300, 0))).cuped).not.toBeNull();
    // A covariate that determines everything leaves no variance to test with.
    const same = (count: number) => repeat(count, (i) => [3 * (i % 5), i % 5]);
    expect(fixed(...means(same(100), same(90)))).toMatchObject({ status: 'ok', cuped: null });
  });

  it('of one arm with hardly any users does not hold up the others', () => {
    const found = fixed(...means(users(300, 0), users(250, 0.1), users(1, 0)));
    expect(found.cuped?.varianceReduction).toBeGreaterThan(0.8);
  });

  it('that the treatment touched is flagged', () => {
    const touched = users(400, 0).map(([y = 0, x = 0]) => [y, x + 2]);
    expect(fixed(...means(users(400, 0), touched)).flags).toContain('COVARIATE_CONTAMINATION');
  });
});

// Without this, rounding errors of sums would be the variance, and p-values made of noise.
describe('values that are constant in both arms are refused, whatever rounding leaves', () => {
  it.each([
    [9.99, 9.99],
    [9.99, 12.34],
    [0.1, 0.3],
    [1e7 + 0.1, 1e7 + 0.2],
    [1e-9, 3e-9],
  ])('%d and %d', (first, second) => {
    const usersOf = (value: number, count: number) =>
      repeat(count, (index) => [value * (1 + (index % 3)), 1 + (index % 3)]);
    const each = (value: number, count: number) => repeat(count, () => [value]);
    for (const data of [
      ratios(usersOf(second, 777), usersOf(first, 1000)),
      means(each(second, 777), each(first, 1000)),
    ]) {
      for (const method of ['fixed', 'sequential', 'bayesian'] as const) {
        const { metrics } = analyse(input([metric(data)], { method }));
        expect(metrics[0]?.comparisons[1]).toMatchObject({
          status: 'ZERO_VARIANCE',
          standardError: null,
          pValue: null,
          chanceToWin: null,
          significant: false,
        });
        const found = metrics[0]?.comparisons[1];
        expect(found?.difference).toBeCloseTo(first - second, 6);
        expect(found?.lift).toBeCloseTo((first - second) / second, 6);
        expect(metrics[0]?.arms[1]).toMatchObject({
          standardError: null,
          lower: null,
          upper: null,
        });
      }
    }
  });

  it('while a small variance far from zero is kept', () => {
    const usersOf = (count: number) => repeat(count, (index) => [1000 + 0.01 * (index % 2)]);
    const found = fixed(...means(usersOf(400), usersOf(400)));
    expect(found.status).toBe('ok');
    expect(found.standardError).toBeCloseTo((0.005 / Math.sqrt(399)) * Math.SQRT2, 9);
  });

  it('and the digits of an average far from zero', () => {
    const usersOf = (offset: number, count: number) =>
      repeat(count, (index) => {
        const events = repeat(1 + (index % 3), (event) => [
          offset + ((index * 7 + event) % 5),
        ]).flat();
        return [events.reduce((a, b) => a + b, 0), events.length];
      });
    const near = fixed(...ratios(usersOf(0, 80), usersOf(1, 90)));
    // Times in milliseconds are values of this kind.
    const far = fixed(...ratios(usersOf(1.7e12, 80), usersOf(1.7e12 + 1, 90)));
    expect(far.standardError).toBeCloseTo(near.standardError ?? 0, 2);
    expect(far.pValue).toBeCloseTo(near.pValue ?? 0, 2);
  });
});
