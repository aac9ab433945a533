import type { TimeBucket } from '@assay/contract';
import { wilsonInterval } from '@assay/core/stats';
import { bucketsBetween } from './buckets.ts';
import { groupedBy } from './grouped-by.ts';
import {
  type AssignedRow,
  BUCKET_SECONDS,
  type Question,
  SERIES_FILLED_MAX,
  type SeriesRow,
} from './question.ts';

/** Where a time series has zeros if nothing happened; in their order. */
export interface SilentBuckets {
  /** Seconds since the epoch. */
  readonly times: readonly number[];
  readonly eventTypes: readonly string[];
}

const NOTHING = { count: 0, users: 0 };

const inOrder = <T>(values: readonly T[]): readonly T[] =>
  [...new Set(values)].sort((a, b) => (a < b ? -1 : 1));

/**
 * The buckets of a question from the first user on, and the types asked for or else seen in any
 * variant; null where the zeros would be too many.
 */
export function silentBucketsOf(
  { eventTypes, series, seriesEnd }: Pick<Question, 'eventTypes' | 'series' | 'seriesEnd'>,
  rows: readonly SeriesRow[],
  assigned: readonly AssignedRow[],
  variants: number,
): SilentBuckets | null {
  const types = inOrder(eventTypes ?? rows.map(({ eventType }) => eventType));
  const seen = rows.map(({ time }) => time);
  const width = BUCKET_SECONDS[series.bucket];
  const first = assigned.reduce((min, { time }) => Math.min(min, time), Number.POSITIVE_INFINITY);
  const times = bucketsBetween(series.start, seriesEnd, width, seen).filter(
    (time) => time >= first,
  );
  return times.length * types.length * variants > SERIES_FILLED_MAX
    ? null
    : { times, eventTypes: types };
}

/**
 * The time series of one variant: events and users of each bucket, users assigned up to its end,
 * and the interval of the one over the other. Before the first user there are no zeros.
 *
 * @param silent null: without zeros
 */
export function timeSeries(
  variantId: number,
  series: readonly SeriesRow[],
  assigned: readonly AssignedRow[],
  alpha: number,
  silent: SilentBuckets | null,
): readonly TimeBucket[] {
  const own = series.filter((row) => row.variantId === variantId);
  const byTime = groupedBy(own, ({ time }) => time);
  const { times, eventTypes: types } = silent ?? { times: [], eventTypes: [] };
  const silentTimes = new Set(times);
  const arrivals = assigned
    .filter((row) => row.variantId === variantId)
    .sort((a, b) => a.time - b.time);
  let next = 0;
  let assignedUsers = 0;
  return inOrder([...silentTimes, ...byTime.keys()]).flatMap((time) => {
    // Times are in their order, so each arrival is added once.
    for (let row = arrivals[next]; row !== undefined && row.time <= time; row = arrivals[++next]) {
      assignedUsers += row.users;
    }
    // Only types that have a bucket here: of each type at each time there may be millions.
    const rows = new Map(byTime.get(time)?.map((row) => [row.eventType, row]));
    const silentTypes = silentTimes.has(time) && assignedUsers > 0 ? types : [];
    return inOrder([...silentTypes, ...rows.keys()]).map((eventType) =>
      toTimeBucket(time, eventType, rows.get(eventType) ?? NOTHING, assignedUsers, alpha),
    );
  });
}

function toTimeBucket(
  time: number,
  eventType: string,
  { count, users }: Pick<SeriesRow, 'count' | 'users'>,
  assignedUsers: number,
  alpha: number,
): TimeBucket {
  const interval = wilsonInterval({ x: users, n: assignedUsers }, alpha);
  const isOk = interval.status === 'ok';
  return {
    time: new Date(time * 1000).toISOString(),
    event_type: eventType,
    count,
    users,
    assigned_users: assignedUsers,
    ci_lower: isOk ? interval.lower : null,
    ci_upper: isOk ? interval.upper : null,
  };
}
