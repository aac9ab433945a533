import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { momentsOf, numbersOf, type SumsRow, symmetric, toArms, toCaps } from './arm-data.ts';
import type { Measure, ResolvedMetric } from './metric.ts';
import { planOf } from './plan.ts';
import { layoutOf, pairsOf, sumsSql } from './sums.ts';

const MEASURE: Measure = {
  types: undefined,
  filters: [],
  aggregate: 'sum',
  property: null,
  fromHours: null,
  toHours: null,
};
const COMMON = { version: null, direction: 'increase', cap: null } as const;
const MEAN: ResolvedMetric = {
  ...COMMON,
  key: 'mean',
  kind: 'mean',
  measure: MEASURE,
  cupedDays: 7,
  isTotal: false,
};
const RATE: ResolvedMetric = {
  ...COMMON,
  key: 'rate',
  kind: 'rate',
  measure: { ...MEASURE, aggregate: 'any' },
  cupedDays: null,
  isTotal: false,
};
const RATIO: ResolvedMetric = {
  ...COMMON,
  key: 'ratio',
  kind: 'ratio',
  numerator: MEASURE,
  denominator: { ...MEASURE, aggregate: 'valued' },
  cupedDays: 7,
};

const sum = (values: readonly number[]): number =>
  values.reduce((total, value) => total + value, 0);

/** What a store selects for vectors of values per user: every formula of `sumsSql`, evaluated. */
function selected(
  metrics: readonly ResolvedMetric[],
  users: readonly (readonly number[])[],
  constants: readonly number[],
): number[] {
  return sumsSql(planOf(metrics)).map((sql) => {
    const formula = sql
      .replace(/^sum\((.*)\)$/, '$1')
      .replaceAll(/v(\d+)/g, 'v[$1]')
      .replaceAll(/k(\d+)/g, 'k[$1]');
    const of = new Function('v', 'k', `return ${formula}`) as (
      v: readonly number[],
      k: readonly number[],
    ) => number;
    return sum(users.map((values) => of(values, constants)));
  });
}

const rowOf = (
  metrics: readonly ResolvedMetric[],
  users: readonly (readonly number[])[],
  constants: readonly number[],
): SumsRow => ({
  variant_id: 1,
  is_whole: 1,
  segment: null,
  users: users.length,
  sums: selected(metrics, users, constants),
  constants,
  caps: [],
});

/** Two-pass moments of the columns. */
function plainMoments(columns: readonly (readonly number[])[]) {
  const n = columns[0]?.length ?? 0;
  const mean = columns.map((values) => sum(values) / n);
  const products = columns.map((a, i) =>
    columns.map((b, j) =>
      sum(a.map((x, k) => (x - (mean[i] ?? 0)) * ((b[k] ?? 0) - (mean[j] ?? 0)))),
    ),
  );
  return { n, mean, products };
}

const value = fc.integer({ min: -50, max: 50 }).map((x) => x / 8);

describe('rows of sums', () => {
  test('are the moments of the values, whatever the constants', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(value, { minLength: 4, maxLength: 4 }), { minLength: 1 }),
        fc.array(value, { minLength: 4, maxLength: 4 }),
        (users, constants) => {
          const { metrics } = planOf([RATIO]);
          const [planned] = metrics;
          if (planned === undefined || !('denominator' in planned)) throw new Error('no ratio');
          const column = (place: number | null) => users.map((values) => values[place ?? 0] ?? 0);
          const [y, d] = [column(planned.value), column(planned.denominator)];
          const [x, m] = [column(planned.valueBefore), column(planned.denominatorBefore)];
          const [arm] = toArms(planOf([RATIO]), [rowOf([RATIO], users, constants)]);
          const parts = layoutOf(planOf([RATIO])).metrics[0]?.parts ?? [];
          const ratios = parts.map(({ residual }) => residual?.about ?? Number.NaN);
          const [about = 0, , before = 0] = ratios.map((place) => constants[place]);
          if (arm?.data.kind !== 'ratio') throw new Error('no ratio');
          expect([arm.data.about, arm.data.aboutBefore]).toEqual([about, before]);
          const expected = plainMoments([
            y.map((each, i) => each - about * (d[i] ?? 0)),
            d,
            x.map((each, i) => each - before * (m[i] ?? 0)),
            m,
          ]);
          expect(arm.data.numerator).toBeCloseTo(sum(y), 9);
          expect(arm.data.denominator).toBeCloseTo(sum(d), 9);
          for (const [i, row] of arm.data.moments.products.entries()) {
            expect(arm.data.moments.mean[i]).toBeCloseTo(expected.mean[i] ?? Number.NaN, 6);
            for (const [j, product] of row.entries()) {
              expect(product).toBeCloseTo(expected.products[i]?.[j] ?? Number.NaN, 4);
            }
          }
        },
      ),
    );
  });

  test('hold several metrics one after the other', () => {
    const metrics = [RATE, MEAN];
    // The rate's 0 or 1; the covariate; the value.
    const users = [
      [1, 2, 3],
      [0, 4, 9],
    ];
    const arms = toArms(planOf(metrics), [rowOf(metrics, users, [1, 5])]);
    expect(arms).toEqual([
      { variantId: 1, metric: 'rate', data: { kind: 'rate', n: 2, x: 1, joint: null } },
      {
        variantId: 1,
        metric: 'mean',
        data: {
          kind: 'mean',
          total: 12,
          moments: {
            n: 2,
            mean: [6, 3],
            products: [
              [18, 6],
              [6, 2],
            ],
          },
        },
      },
    ]);
  });

  test('of equal values have no variance, though their sums leave something', () => {
    const plan = planOf([{ ...MEAN, cupedDays: null }]);
    const [sums] = layoutOf(plan).metrics;
    if (sums === undefined) throw new Error('no sums');
    const numbers = { n: 3, totals: [0.3], firsts: [1e-9], seconds: [3.3333333333335e-19] };
    expect(momentsOf(sums, numbers, [0.1]).products).toEqual([[0]]);
    // Far below the digits of the values
    const near = { n: 3, totals: [3e9], firsts: [0], seconds: [1e-11] };
    expect(momentsOf(sums, near, [1e9]).products).toEqual([[0]]);
    const real = { n: 3, totals: [3e9], firsts: [0], seconds: [1e-3] };
    expect(momentsOf(sums, real, [1e9]).products).toEqual([[1e-3]]);
  });

  test('tell segments, also the one of no value, from the whole', () => {
    const row = rowOf([RATE], [[1]], []);
    const rows = [row, { ...row, is_whole: 0 }, { ...row, is_whole: 0, segment: 'DE' }];
    const arms = toArms(planOf([RATE]), rows).map(({ data: _, metric: __, ...of }) => of);
    expect(arms).toEqual([
      { variantId: 1 },
      { variantId: 1, segment: null },
      { variantId: 1, segment: 'DE' },
    ]);
  });
});

test('a symmetric matrix is read from its diagonal on', () => {
  expect(symmetric(3, [1, 2, 3, 4, 5, 6])).toEqual([
    [1, 2, 3],
    [2, 4, 5],
    [3, 5, 6],
  ]);
  expect(pairsOf(['a', 'b'])).toEqual([
    ['a', 'a'],
    ['a', 'b'],
    ['b', 'b'],
  ]);
});

test('lists are cut into metrics by their width', () => {
  const plan = planOf([RATE, MEAN]);
  expect(numbersOf(plan, 9, [1, 2, 3, 4, 5, 6, 7])).toEqual([
    { n: 9, totals: [1], firsts: [], seconds: [] },
    { n: 9, totals: [2], firsts: [3, 4], seconds: [5, 6, 7] },
  ]);
});

test('caps are told by metric, of what was cut', () => {
  const percentile = { kind: 'percentile', percentile: 90 } as const;
  const metrics: readonly ResolvedMetric[] = [
    RATE,
    { ...MEAN, cap: percentile },
    { ...RATIO, cap: { kind: 'value', value: 7 } },
  ];
  const plan = planOf(metrics);
  const row = { ...rowOf([RATE], [[1]], []), caps: [1, 2, 3, 4] };
  expect(toCaps(plan, [row])).toEqual([
    {
      metric: 'mean',
      numerator: 2,
      denominator: null,
      numeratorBefore: 1,
      denominatorBefore: null,
    },
    {
      metric: 'ratio',
      numerator: 3,
      denominator: null,
      numeratorBefore: 4,
      denominatorBefore: null,
    },
  ]);
  expect(toCaps(plan, [])).toMatchObject([{ numerator: null }, { numerator: null }]);
});
