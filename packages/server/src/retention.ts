// How far back events go, and how far ahead. One rule for ingest, partitions and both stores.

const DAY_MICROS = 86_400_000_000;

/**
 * The oldest time that is kept, in microseconds since the epoch: the first moment (UTC) of the
 * month that lies `months` months before the month of `nowMs`. Whole months, since they are
 * dropped as whole partitions.
 */
export function retentionFloor(nowMs: number, months: number): number {
  const now = new Date(nowMs);
  return Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - months, 1) * 1000;
}

/** Times that are accepted, in microseconds since the epoch, both ends included. */
export interface TimeWindow {
  readonly from: number;
  readonly to: number;
}

/** How far ahead of now times are accepted, in microseconds. */
export const ACCEPTED_AHEAD = DAY_MICROS;

/** What is accepted now: from the floor to 24 h ahead. */
export function acceptedWindow(nowMs: number, months: number): TimeWindow {
  return { from: retentionFloor(nowMs, months), to: nowMs * 1000 + ACCEPTED_AHEAD };
}
