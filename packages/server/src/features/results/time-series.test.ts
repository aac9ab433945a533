import { wilsonInterval } from '@assay/core/stats';
import { describe, expect, it } from 'vitest';
import { timeSeries } from './time-series.ts';

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

describe('a time series', () => {
  it('has the users assigned up to the end of each bucket, also before the series begins', () => {
    const series = [row(1, 10, 5, 4), row(2, 10, 1, 1), row(1, 12, 3, 3)];
    const assigned = [arrival(1, 12, 7), arrival(1, 3, 20), arrival(2, 9, 50), arrival(1, 11, 10)];
    const buckets = timeSeries(1, series, assigned, 0.05);
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
    const [bucket] = timeSeries(1, [row(1, 1, 1, 1)], [], 0.05);
    expect(bucket).toMatchObject({ assigned_users: 0, ci_lower: null, ci_upper: null });
  });
});
