import { formatInstant } from '@assay/core';
import fc from 'fast-check';
import type { Cap, Filter, Measure, ResolvedMetric } from '../../src/features/results/metric.ts';
import type { Question } from '../../src/features/results/question.ts';
import { AMOUNT, DAY, MINUTE, QUANTITY, TYPES } from './random-worlds.ts';

/** Null in two of three. */
const rarely = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> =>
  fc.oneof({ weight: 2, arbitrary: fc.constant(null) }, { weight: 1, arbitrary });

const plans: fc.Arbitrary<Filter> = fc
  .constantFrom<Filter['values']>(
    ['pro'],
    [1],
    ['1'],
    [true],
    [null],
    ['pro', 'frei', null],
    [1.5, null],
    ['true', 1e25],
  )
  .map((values) => ({ name: 'plan', values }));

const types = fc.oneof(
  fc.constant(undefined),
  fc.subarray(TYPES, { minLength: 1 }),
  fc.constantFrom(['purchase'], ['view', 'never']),
);

type Aggregate = Measure['aggregate'];

const measureOf = (
  aggregate: fc.Arbitrary<Aggregate>,
  property: fc.Arbitrary<string | null>,
): fc.Arbitrary<Measure> =>
  fc.record({
    types,
    filters: rarely(plans).map((filter) => (filter === null ? [] : [filter])),
    aggregate,
    property,
    fromHours: rarely(fc.constantFrom(0, 1, 6, 24.5)),
    toHours: rarely(fc.constantFrom(25, 36, 48.25)),
  });

const cap = (magnitude: number): fc.Arbitrary<Cap> =>
  fc.oneof(
    fc
      .constantFrom(1, 2, 0.5 * magnitude, 9 * magnitude)
      .map((value): Cap => ({ kind: 'value', value })),
    fc
      .constantFrom(50, 90, 99.9, 100)
      .map((percentile): Cap => ({ kind: 'percentile', percentile })),
  );

const anyValue = fc.constantFrom(null, AMOUNT, QUANTITY);
const direction = fc.constantFrom('increase' as const, 'decrease' as const);
const cupedDays = fc.constantFrom(null, null, 0.5, 1, 14);

/** A metric of any kind, for values of this size. */
function metricOf(magnitude: number): fc.Arbitrary<ResolvedMetric> {
  const common = { key: fc.constant(''), version: fc.constantFrom(null, 3), direction };
  const simple = { cap: rarely(cap(magnitude)), cupedDays, isTotal: fc.boolean() };
  const denominator = fc.oneof(
    measureOf(fc.constantFrom('count', 'valued'), anyValue),
    measureOf(fc.constant('sum'), fc.constant(QUANTITY)),
  );
  const any = measureOf(fc.constant('any'), fc.constant(null));
  const counted = measureOf(fc.constantFrom('count', 'sum'), anyValue);
  return fc.oneof(
    fc.record({ ...common, ...simple, kind: fc.constant('rate' as const), measure: any }),
    fc.record({ ...common, ...simple, kind: fc.constant('mean' as const), measure: counted }),
    fc.record({
      ...common,
      kind: fc.constant('ratio' as const),
      numerator: counted,
      denominator,
      cap: rarely(cap(magnitude)),
      cupedDays,
    }),
    fc.record({
      ...common,
      kind: fc.constant('quantile' as const),
      measure: measureOf(fc.constant('sum'), anyValue),
      p: fc.constantFrom(0.5, 0.95, 0.123, 0.25),
    }),
    fc.record({
      ...common,
      kind: fc.constant('funnel' as const),
      steps: fc
        .tuple(
          fc.shuffledSubarray(TYPES, { minLength: 1 }),
          fc.array(any, { minLength: 3, maxLength: 3 }),
        )
        .map(([order, measures]) =>
          order.map((type, i): Measure => ({ ...(measures[i] as Measure), types: [type] })),
        ),
    }),
  );
}

/**
 * A question about an experiment.
 *
 * @param base microseconds since the epoch from which the times of worlds count
 * @param magnitude that of the world's values
 */
export const questionsOf = (
  experimentId: number,
  base: number,
  magnitude: number,
): fc.Arbitrary<Question> =>
  fc
    .record({
      metrics: fc.array(metricOf(magnitude), { minLength: 1, maxLength: 8, size: 'max' }),
      from: fc.constantFrom(-2 * 1_440, 0, 0, 700, 2_000),
      to: fc.constantFrom(2 * 1_440, 4 * 1_440, 4 * 1_440 + 5, 5_000),
      asked: fc.constantFrom(1_500, 3 * 1_440, 10_000),
      floor: fc.constantFrom(-3 * 1_440, -1_000),
      country: rarely(fc.constantFrom<Filter['values']>(['DE'], ['AT', 'ÖÜ'], [null])),
      plan: rarely(plans),
      segmentBy: rarely(fc.constantFrom('country', 'tier', 'missing')),
      alpha: fc.constantFrom(0.05, 0.2),
      eventTypes: types,
      bucket: fc.constantFrom('minute' as const, 'hour' as const, 'day' as const),
      seriesFrom: fc.constantFrom(0, 0, 1_500),
      metricSeries: fc.subarray(['cumulative', 'daily', 'days_since_assignment'] as const),
    })
    .map(({ from, to, asked, floor, country, plan, bucket, seriesFrom, metrics, ...rest }) => {
      const start = Math.max(from, floor);
      const time = (minutes: number): string => formatInstant(base + minutes * MINUTE);
      return {
        ...rest,
        experimentId,
        metrics: metrics.map((metric, index) => ({ ...metric, key: `m${index}` })),
        start: time(start),
        end: time(to),
        seriesEnd: time(Math.min(to, asked)),
        retentionFloor: time(floor),
        contextFilters: country === null ? [] : [{ name: 'country', values: country }],
        propertyFilters: plan === null ? [] : [plan],
        series: { bucket, start: time(Math.max(start, seriesFrom)) },
      };
    });

/** The beginning of a day so long ago that all of a world has passed. */
export const baseOf = (now: number): number => Math.floor((now * 1_000) / DAY) * DAY - 6 * DAY;
