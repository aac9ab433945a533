import { wilsonInterval } from '@assay/core/stats';
import { describe, expect, it } from 'vitest';
import type { Question, SeriesRow } from './question.ts';
import { silentBucketsOf, timeSeries } from './time-series.ts';

const DAY = 86_400;
const row = (variantId: number, day: number, count: number, users: number) => ({
  variantId,
  time: day * DAY,
  eventType: 'buy',
  count,
  users,
});
const arrival = (variantId: number, day: number, users: number) => ({
  variantId,
  time: day * DAY,
  users,
});

const dayOf = (day: number): string => new Date(day * DAY * 1000).toISOString();
const question = (given: Partial<Question> = {}) => ({
  eventTypes: undefined,
  series: { bucket: 'day' as const, start: dayOf(10.5) },
  seriesEnd: dayOf(13.2),
  ...given,
});

/** Users who were there before any bucket. */
const SINCE_EVER = [{ variantId: 1, time: 0, users: 1 }];

describe('a time series', () => {
  it('has zeros where nothing happened, in the middle and at the end', () => {
    const series: SeriesRow[] = [
      row(1, 10, 5, 4),
      { ...row(2, 12, 2, 2), eventType: 'view' },
      row(1, 12, 3, 3),
    ];
    const assigned = [arrival(1, 9, 20), arrival(2, 11, 7)];
    const silent = silentBucketsOf(question(), series, SINCE_EVER, 2);
    const shown = (variantId: number) =>
      timeSeries(variantId, series, assigned, 0.05, silent).map(
        ({ time, event_type, count, users, assigned_users }) =>
          [Date.parse(time) / DAY / 1000, event_type, count, users, assigned_users] as const,
      );
    expect(shown(1)).toEqual([
      [10, 'buy', 5, 4, 20],
      [10, 'view', 0, 0, 20],
      [11, 'buy', 0, 0, 20],
      [11, 'view', 0, 0, 20],
      [12, 'buy', 3, 3, 20],
      [12, 'view', 0, 0, 20],
      [13, 'buy', 0, 0, 20],
      [13, 'view', 0, 0, 20],
    ]);
    // Nobody was there on the tenth day.
    expect(shown(2)).toEqual([
      [11, 'buy', 0, 0, 7],
      [11, 'view', 0, 0, 7],
      [12, 'buy', 0, 0, 7],
      [12, 'view', 2, 2, 7],
      [13, 'buy', 0, 0, 7],
      [13, 'view', 0, 0, 7],
    ]);
    const [bucket] = timeSeries(2, series, assigned, 0.05, silent);
    const interval = wilsonInterval({ x: 0, n: 7 }, 0.05);
    if (interval.status !== 'ok') throw new Error(interval.status);
    expect(bucket).toMatchObject({ ci_lower: interval.lower, ci_upper: interval.upper });
  });

  it('is of the types asked for, and in the width asked for', () => {
    const hours = question({
      eventTypes: ['view', 'buy', 'view'],
      series: { bucket: 'hour', start: dayOf(10) },
      seriesEnd: dayOf(10.25),
    });
    const { times, eventTypes } = silentBucketsOf(hours, [], SINCE_EVER, 2) ?? {};
    expect(eventTypes).toEqual(['buy', 'view']);
    expect(times).toEqual([0, 1, 2, 3, 4, 5].map((hour) => 10 * DAY + hour * 3_600));
  });

  it('has the same buckets for all where something happened after its end', () => {
    // An event at the very end counts, though its bucket is over before it has begun.
    const midnight = question({ seriesEnd: dayOf(12) });
    const series = [row(1, 10, 5, 4), row(1, 12, 1, 1), { ...row(2, 15, 1, 1), eventType: 'view' }];
    const silent = silentBucketsOf(midnight, series, SINCE_EVER, 2);
    expect(silent?.times).toEqual([10, 11, 12, 15].map((day) => day * DAY));
    const placesOf = (variantId: number) =>
      timeSeries(variantId, series, [arrival(variantId, 9, 20)], 0.05, silent).map(
        ({ time, event_type }) => [Date.parse(time) / DAY / 1000, event_type],
      );
    expect(placesOf(1)).toEqual(
      [10, 11, 12, 15].flatMap((day) => [
        [day, 'buy'],
        [day, 'view'],
      ]),
    );
    expect(placesOf(2)).toEqual(placesOf(1));
  });

  it('has only what happened where zeros would be too many', () => {
    const minutes = question({ series: { bucket: 'minute', start: dayOf(10) } });
    const series = [row(1, 10, 1, 1), row(1, 13, 1, 1)];
    expect(silentBucketsOf(minutes, series, SINCE_EVER, 2)?.times).toHaveLength(4_608);
    // Before the first user there are no zeros, so they are no more for an early start.
    const late = [{ variantId: 1, time: series[1]?.time ?? 0, users: 1 }];
    expect(silentBucketsOf(minutes, series, late, 3)?.times.length).toBeLessThan(4_608);
    const silent = silentBucketsOf(minutes, series, SINCE_EVER, 3);
    expect(silent).toBeNull();
    expect(timeSeries(1, series, [arrival(1, 9, 20)], 0.05, silent)).toHaveLength(2);
  });

  it('looks at nothing but what happened where zeros would be too many', () => {
    // Every row has a time and a type of its own: each time with each type would be 25 million.
    const series = Array.from({ length: 5_000 }, (_, day) => ({
      ...row(1, 5_000 - day, 1, 1),
      eventType: `type ${day}`,
    }));
    const silent = silentBucketsOf(question({ seriesEnd: dayOf(5_001) }), series, SINCE_EVER, 1);
    expect(silent).toBeNull();
    const buckets = timeSeries(1, series, [arrival(1, 0, 20)], 0.05, silent);
    expect(buckets.map((bucket) => bucket.event_type)).toEqual(
      series.map(({ eventType }) => eventType).reverse(),
    );
  });

  it('has the users assigned up to the end of each bucket, also before the series begins', () => {
    const series = [row(1, 10, 5, 4), row(2, 10, 1, 1), row(1, 12, 3, 3)];
    const assigned = [arrival(1, 12, 7), arrival(1, 3, 20), arrival(2, 9, 50), arrival(1, 11, 10)];
    const buckets = timeSeries(1, series, assigned, 0.05, null);
    expect(
      buckets.map(({ time, count, users, assigned_users }) => [time, count, users, assigned_users]),
    ).toEqual([
      ['1970-01-11T00:00:00.000Z', 5, 4, 20],
      ['1970-01-13T00:00:00.000Z', 3, 3, 37],
    ]);
    const interval = wilsonInterval({ x: 4, n: 20 }, 0.05);
    if (interval.status !== 'ok') throw new Error(interval.status);
    expect([buckets[0]?.ci_lower, buckets[0]?.ci_upper]).toEqual([interval.lower, interval.upper]);
  });

  it('has no interval without users', () => {
    const [bucket] = timeSeries(1, [row(1, 1, 1, 1)], [], 0.05, null);
    expect(bucket).toMatchObject({ assigned_users: 0, ci_lower: null, ci_upper: null });
  });
});
