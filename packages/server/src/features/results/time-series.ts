import type { TimeBucket } from '@assay/contract';
import { wilsonInterval } from '@assay/core/stats';
import type { AssignedRow, SeriesRow } from './question.ts';

/**
 * The time series of one variant: events and users of each bucket, users assigned up to its end,
 * and the interval of the one over the other.
 */
export function timeSeries(
  variantId: number,
  series: readonly SeriesRow[],
  assigned: readonly AssignedRow[],
  alpha: number,
): readonly TimeBucket[] {
  const arrivals = assigned
    .filter((row) => row.variantId === variantId)
    .sort((a, b) => a.time - b.time);
  let next = 0;
  let assignedUsers = 0;
  return series
    .filter((row) => row.variantId === variantId)
    .map(({ time, eventType, count, users }) => {
      // Rows are in the order of time, so each arrival is added once.
      for (
        let row = arrivals[next];
        row !== undefined && row.time <= time;
        row = arrivals[++next]
      ) {
        assignedUsers += row.users;
      }
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
    });
}
