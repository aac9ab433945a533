import { describe, expect, test } from 'vitest';
import { builtInMetric } from './built-ins.ts';
import type { Measure, RatioMetric, SimpleMetric } from './metric.ts';
import { planOf, unionOfTypes } from './plan.ts';

const MEASURE: Measure = {
  types: ['purchase'],
  filters: [{ name: 'plan', values: ['pro'] }],
  aggregate: 'sum',
  property: 'price',
  fromHours: 1,
  toHours: 24.5,
};
const COMMON = { key: 'm', version: 1, direction: 'increase', cap: null, cupedDays: null } as const;
const mean = (change: Partial<SimpleMetric> = {}): SimpleMetric => ({
  ...COMMON,
  kind: 'mean',
  measure: MEASURE,
  isTotal: false,
  ...change,
});

describe('a plan', () => {
  test('computes once what several metrics are made of', () => {
    const names = ['conversion_rate', 'unique_users', 'events_per_user', 'avg_value'] as const;
    const plan = planOf(names.map((name) => builtInMetric(name, ['purchase'])));
    expect(plan.columns.map(({ aggregate }) => aggregate)).toEqual(['count', 'sum', 'valued']);
    expect(plan.values).toEqual([
      { column: 0, isAny: true, cap: null },
      { column: 0, isAny: false, cap: null },
      { column: 1, isAny: false, cap: null },
      { column: 2, isAny: false, cap: null },
    ]);
  });

  test('gives covariates the days before the assignment instead of the window after it', () => {
    const { columns, metrics } = planOf([mean({ cupedDays: 1.5 })]);
    const shared = { types: ['purchase'], filters: MEASURE.filters, property: 'price' };
    expect(columns).toEqual([
      { ...shared, aggregate: 'sum', from: null, to: null, before: 1.5 * 86_400e6 },
      { ...shared, aggregate: 'sum', from: 3_600e6, to: 24.5 * 3_600e6, before: null },
    ]);
    expect(metrics).toMatchObject([{ value: 1, valueBefore: 0 }]);
    expect(planOf([mean({ cupedDays: 1.5 })], false).columns).toHaveLength(1);
  });

  test('cuts by a percentile each for itself, by a fixed value the numerator alone', () => {
    const ratio = (cap: RatioMetric['cap']): RatioMetric => ({
      ...COMMON,
      kind: 'ratio',
      numerator: MEASURE,
      denominator: { ...MEASURE, aggregate: 'count' },
      cap,
    });
    const percentile = { kind: 'percentile', percentile: 99 } as const;
    const value = { kind: 'value', value: 5 } as const;
    expect(planOf([ratio(percentile)]).values.map(({ cap }) => cap)).toEqual([
      percentile,
      percentile,
    ]);
    expect(planOf([ratio(value)]).values.map(({ cap }) => cap)).toEqual([value, null]);
  });

  test('does not cut what is 0 or 1', () => {
    const rate = mean({
      kind: 'rate',
      measure: { ...MEASURE, aggregate: 'any' },
      cap: { kind: 'value', value: 0.5 },
    });
    expect(planOf([rate]).values).toEqual([{ column: 0, isAny: true, cap: null }]);
  });

  test('leaves quantiles and funnels to others', () => {
    expect(planOf([builtInMetric('p95_value', undefined)])).toEqual({
      columns: [],
      values: [],
      metrics: [],
    });
  });
});

test('types are united, and all types stay all', () => {
  expect(unionOfTypes([['b', 'a'], ['c'], ['a']])).toEqual(['a', 'b', 'c']);
  expect(unionOfTypes([['a'], undefined])).toBeUndefined();
  expect(unionOfTypes([])).toEqual([]);
});
