import { describe, expect, it } from 'vitest';
import { metricResult } from './metrics.ts';
import type { Shift, VariantSums } from './old-answer.ts';

/** A user's events: their values, null where an event has none. */
type User = readonly (number | null)[];

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
const totalOf = (user: User): number => sum(user.map((value) => value ?? 0));
const valuedOf = (user: User): number => user.filter((value) => value !== null).length;

/** The constants that a store would choose: the means over all users, in single precision. */
function shiftOf(users: readonly User[]): Shift {
  const mean = (of: (user: User) => number): number =>
    Math.fround(sum(users.map(of)) / Math.max(1, users.length));
  const valued = sum(users.map(valuedOf));
  return {
    events: mean(({ length }) => length),
    total: mean(totalOf),
    valued: mean(valuedOf),
    ratio: Math.fround(sum(users.map(totalOf)) / Math.max(1, valued)),
  };
}

/** What a store would answer for these users. */
function sumsOf(users: readonly User[], shift: Shift): VariantSums {
  const about = (of: (user: User) => number, constant: number): readonly number[] =>
    users.map((user) => of(user) - constant);
  const events = about(({ length }) => length, shift.events);
  const totals = about(totalOf, shift.total);
  const valued = about(valuedOf, shift.valued);
  const residuals = users.map((user) => totalOf(user) - shift.ratio * valuedOf(user));
  const squares = (numbers: readonly number[]): number => sum(numbers.map((x) => x * x));
  return {
    variantId: 1,
    users: users.length,
    converters: users.filter(({ length }) => length > 0).length,
    events: sum(users.map(({ length }) => length)),
    valued: sum(users.map(valuedOf)),
    total: sum(users.map(totalOf)),
    eventsDeviation: sum(events),
    eventsSquares: squares(events),
    totalDeviation: sum(totals),
    totalSquares: squares(totals),
    valuedDeviation: sum(valued),
    valuedSquares: squares(valued),
    residual: sum(residuals),
    residualSquares: squares(residuals),
    residualProduct: sum(residuals.map((residual, index) => residual * (valued[index] ?? 0))),
  };
}

/** The treatment's result against a control, both given by their users. */
function compared(
  metric: Parameters<typeof metricResult>[0],
  treatment: readonly User[],
  control: readonly User[],
) {
  const shift = shiftOf([...treatment, ...control]);
  const dataOf = (users: readonly User[]) => ({
    sums: sumsOf(users, shift),
    quantiles: undefined,
  });
  return metricResult(metric, dataOf(treatment), dataOf(control), shift, 0.05);
}

const repeat = (count: number, user: (index: number) => User): readonly User[] =>
  Array.from({ length: count }, (_, index) => user(index));

describe('a metric', () => {
  it('counts users without events as zero per user, and not at all per event', () => {
    const treatment = [[4], [8, null], [], []];
    const control = [[2], [], [], []];
    expect(compared('value_per_user', treatment, control)).toMatchObject({
      value: 3,
      sample_size: 4,
      numerator: 12,
      denominator: 4,
    });
    expect(compared('avg_value', treatment, control)).toMatchObject({
      value: 6,
      sample_size: 2,
      numerator: 12,
      denominator: 2,
    });
    expect(compared('events_per_user', treatment, control).value).toBe(0.75);
  });

  it('is the same about any constant', () => {
    const usersOf = (count: number, step: number) =>
      repeat(count, (index) => Array.from({ length: 1 + (index % 2) }, () => 1e7 + step * index));
    const [treatment, control] = [usersOf(50, 2), usersOf(60, 3)];
    const near = shiftOf([...treatment, ...control]);
    for (const metric of ['value_per_user', 'avg_value', 'events_per_user'] as const) {
      const far = { events: 1, total: near.total + 1e5, valued: 1, ratio: near.ratio - 100 };
      const [a, b] = [near, far].map((shift) =>
        metricResult(
          metric,
          { sums: sumsOf(treatment, shift), quantiles: undefined },
          { sums: sumsOf(control, shift), quantiles: undefined },
          shift,
          0.05,
        ),
      );
      expect(a?.standard_error).toBeCloseTo(b?.standard_error ?? 0, 6);
      expect(a?.vs_control?.p_value).toBeCloseTo(b?.vs_control?.p_value ?? 0, 6);
    }
  });

  it('agrees with Welch and the delta method done by hand', () => {
    const treatment = [[1, 2], [3], [], [4, 4, 4]];
    const control = [[1], [1, 1], [2]];
    const result = compared('avg_value', treatment, control);
    // Unit variance of a ratio R: var(y − R d) / mean(d)², from the residuals themselves.
    const unit = (users: readonly User[]) => {
      const ratio = sum(users.map(totalOf)) / sum(users.map(valuedOf));
      const residuals = users.map((user) => totalOf(user) - ratio * valuedOf(user));
      const mean = sum(users.map(valuedOf)) / users.length;
      return sum(residuals.map((x) => x * x)) / (users.length - 1) / mean ** 2 / users.length;
    };
    expect(result.vs_control?.difference).toBeCloseTo(3 - 1.25, 12);
    expect(result.vs_control?.standard_error).toBeCloseTo(
      Math.sqrt(unit(treatment) + unit(control)),
      12,
    );
  });

  // Without this, rounding errors of sums would be the variance, and p-values made of noise.
  describe('that is constant in both variants is refused, whatever rounding leaves', () => {
    it.each([
      [9.99, 9.99],
      [9.99, 12.34],
      [0.1, 0.3],
      [1e7 + 0.1, 1e7 + 0.2],
      [1e-9, 3e-9],
    ])('%d and %d', (first, second) => {
      const usersOf = (value: number, count: number) =>
        repeat(count, (index) => Array.from({ length: 1 + (index % 3) }, () => value));
      const ratio = compared('avg_value', usersOf(first, 1_000), usersOf(second, 777));
      expect(ratio.vs_control).toMatchObject({
        status: 'ZERO_VARIANCE',
        p_value: null,
        standard_error: null,
        significant: false,
      });
      expect(ratio.vs_control?.difference).toBeCloseTo(first - second, 6);
      expect(ratio).toMatchObject({ standard_error: null, ci_lower: null, ci_upper: null });
      const each = (value: number, count: number) => repeat(count, () => [value]);
      const mean = compared('value_per_user', each(first, 1_000), each(second, 777));
      expect(mean.vs_control).toMatchObject({ status: 'ZERO_VARIANCE', p_value: null });
      expect(mean.vs_control?.lift).toBeCloseTo((first - second) / second, 6);
      expect(mean.lift_vs_control).toBeCloseTo((100 * (first - second)) / second, 4);
    });
  });

  it('keeps the digits of an average far from zero', () => {
    const usersOf = (offset: number, count: number) =>
      repeat(count, (index) =>
        Array.from({ length: 1 + (index % 3) }, (_, event) => offset + ((index * 7 + event) % 5)),
      );
    const near = compared('avg_value', usersOf(1, 90), usersOf(0, 80));
    // Times in milliseconds are values of this kind.
    const far = compared('avg_value', usersOf(1.7e12 + 1, 90), usersOf(1.7e12, 80));
    expect(far.vs_control?.standard_error).toBeCloseTo(near.vs_control?.standard_error ?? 0, 2);
    expect(far.vs_control?.p_value).toBeCloseTo(near.vs_control?.p_value ?? 0, 2);
  });

  it('keeps a variance that is small but real', () => {
    const usersOf = (count: number) => repeat(count, (index) => [1_000 + 0.01 * (index % 2)]);
    const result = compared('value_per_user', usersOf(400), usersOf(400));
    expect(result.standard_error).toBeCloseTo(0.005 / Math.sqrt(399), 9);
    expect(result.vs_control?.status).toBe('ok');
  });

  it.each([
    ['value_per_user', [], [[1], [2]], 'NO_UNITS'],
    ['value_per_user', [[1]], [[1], [2]], 'INSUFFICIENT_UNITS'],
    ['events_per_user', [[1], [1, 2]], [[], []], 'ZERO_BASELINE'],
    ['avg_value', [[null], []], [[1], [2]], 'ZERO_DENOMINATOR'],
    ['conversion_rate', [], [[1]], 'NO_UNITS'],
    ['conversion_rate', [[1], []], [[], []], 'ZERO_BASELINE'],
  ] as const)('%s of %j against %j is %s', (metric, treatment, control, status) => {
    const result = compared(metric, treatment, control);
    expect(result.vs_control?.status).toBe(status);
    expect(result.vs_control?.lift).toBeNull();
    expect(result.lift_vs_control).toBeNull();
    for (const value of Object.values({ ...result, ...result.vs_control })) {
      if (typeof value === 'number') expect(value).toSatisfy(Number.isFinite);
    }
  });

  it.each(['unique_users', 'event_count', 'sum_value', 'median_value', 'p95_value'] as const)(
    '%s is not compared',
    (metric) => {
      expect(compared(metric, [[1], [2]], [[3], []]).vs_control).toBeNull();
    },
  );
});
