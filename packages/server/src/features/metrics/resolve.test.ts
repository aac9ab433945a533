import { METRIC_KINDS, MetricCreate, MetricDefinition, type MetricKind } from '@assay/contract';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { resolveMetric } from './resolve.ts';

const purchase = { event_type: 'purchase' };
const window = { from_hours: 24, to_hours: 48 };

/** A definition as a request brings it, with its defaults. */
const resolved = (fields: Record<string, unknown>) =>
  resolveMetric(
    MetricDefinition.parse({ name: 'M', ...MetricCreate.parse({ key: 'm', ...fields }) }),
    3,
  );

/** What the stores are to take of each user, where nothing narrows it. */
const measure = (aggregate: string, more: object = {}) => ({
  types: ['purchase'],
  filters: [],
  aggregate,
  property: null,
  fromHours: null,
  toHours: null,
  ...more,
});
const common = { key: 'm', version: 3, direction: 'increase' };
const plain = { ...common, cap: null, cupedDays: null };

describe('a metric of the catalogue is', () => {
  test('a rate of users with an event, for a conversion', () => {
    const filters = { 'properties.plan': 'pro', 'properties.a.b': [1, null] };
    const metric = { kind: 'conversion', ...purchase, filters, cuped: { days: 14 }, window };
    expect(resolved({ ...metric, direction: 'decrease' })).toEqual({
      ...plain,
      kind: 'rate',
      direction: 'decrease',
      cupedDays: 14,
      isTotal: false,
      measure: measure('any', {
        filters: [
          { name: 'plan', values: ['pro'] },
          { name: 'a.b', values: [1, null] },
        ],
        fromHours: 24,
        toHours: 48,
      }),
    });
  });

  test('a rate of users with an event in the window, for a retention', () => {
    expect(resolved({ kind: 'retention', ...purchase, window: { to_hours: 24 } })).toEqual({
      ...plain,
      kind: 'rate',
      isTotal: false,
      measure: measure('any', { fromHours: 0, toHours: 24 }),
    });
  });

  test('a mean over users, for a count and a sum', () => {
    const mean = { ...plain, kind: 'mean', isTotal: false };
    expect(resolved({ kind: 'count', ...purchase, cap: { value: 10 } })).toEqual({
      ...mean,
      cap: { kind: 'value', value: 10 },
      measure: measure('count'),
    });
    const sum = { kind: 'sum', ...purchase, value_property: 'net', cap: { percentile: 99.5 } };
    expect(resolved(sum)).toEqual({
      ...mean,
      cap: { kind: 'percentile', percentile: 99.5 },
      measure: measure('sum', { property: 'net' }),
    });
    expect(resolved({ kind: 'sum', ...purchase })).toEqual({ ...mean, measure: measure('sum') });
  });

  test('a ratio of sums to the events that have a value, for a mean', () => {
    const mean = { kind: 'mean', ...purchase, value_property: 'net', cuped: { days: 7 } };
    expect(resolved(mean)).toEqual({
      ...plain,
      kind: 'ratio',
      cupedDays: 7,
      numerator: measure('sum', { property: 'net' }),
      denominator: measure('valued', { property: 'net' }),
    });
  });

  test.for([
    ['counts without a property', {}, {}, 'count', 'count', null],
    ['sums the property that it names', { value_property: 'net' }, {}, 'sum', 'count', 'net'],
    ['sums own values when told so', { aggregation: 'sum' }, {}, 'sum', 'count', null],
    ['may sum below', {}, { aggregation: 'sum' }, 'count', 'sum', null],
  ] as const)('a ratio that %s', ([, above, below, numerator, denominator, property]) => {
    const metric = { kind: 'ratio', ...purchase, ...above, window };
    const hours = { fromHours: 24, toHours: 48 };
    expect(resolved({ ...metric, denominator: { event_type: 'visit', ...below } })).toEqual({
      ...plain,
      kind: 'ratio',
      numerator: measure(numerator, { ...hours, property }),
      denominator: measure(denominator, { ...hours, types: ['visit'] }),
    });
  });

  test('a quantile of the values of events', () => {
    const metric = {
      kind: 'quantile',
      event_type: 'purchase',
      value_property: 'ms',
      quantile: 0.95,
    };
    expect(resolved(metric)).toEqual({
      ...common,
      kind: 'quantile',
      measure: measure('sum', { property: 'ms' }),
      p: 0.95,
    });
  });

  test('a funnel of steps in one window', () => {
    const steps = [
      { event_type: 'visit', filters: { 'properties.page': '/cart' } },
      { event_type: 'purchase' },
    ];
    const hours = { fromHours: 24, toHours: 48 };
    expect(resolved({ kind: 'funnel', steps, window })).toEqual({
      ...common,
      kind: 'funnel',
      steps: [
        measure('any', {
          ...hours,
          types: ['visit'],
          filters: [{ name: 'page', values: ['/cart'] }],
        }),
        measure('any', hours),
      ],
    });
  });
});

/** Any combination of fields, right or wrong, as they come. */
const anyMetric = fc.record(
  {
    key: fc.constant('m'),
    kind: fc.constantFrom<MetricKind>(...METRIC_KINDS),
    event_type: fc.constant('purchase'),
    filters: fc.constant({ 'properties.plan': ['pro', null] }),
    value_property: fc.constant('net'),
    aggregation: fc.constantFrom('count', 'sum'),
    denominator: fc.constantFrom({ event_type: 'visit' }, { event_type: 'v', aggregation: 'sum' }),
    quantile: fc.double({ min: 0.01, max: 0.99, noNaN: true }),
    steps: fc.constant([{ event_type: 'visit' }, { event_type: 'purchase' }]),
    window: fc.constant(window),
    cap: fc.constantFrom({ percentile: 99 }, { value: 5 }),
    cuped: fc.record({ days: fc.integer({ min: 1, max: 90 }) }),
  },
  { requiredKeys: ['key', 'kind'] },
);

/** The fields without those that the contract refuses. */
function withoutRefused(fields: Record<string, unknown>): Record<string, unknown> {
  const refused = MetricCreate.safeParse(fields).error?.issues.map(({ path }) => path[0]) ?? [];
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !refused.includes(name)));
}

test('whatever the contract takes can be computed', () => {
  const kinds = new Set<MetricKind>();
  fc.assert(
    fc.property(anyMetric, (fields) => {
      const { success, data } = MetricCreate.safeParse(withoutRefused(fields));
      if (!success) return;
      kinds.add(data.kind);
      expect(resolved(data).key).toBe('m');
    }),
    { numRuns: 1_000 },
  );
  expect(kinds).toEqual(new Set(METRIC_KINDS));
});
