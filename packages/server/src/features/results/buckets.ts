import { parseInstant } from '@assay/core';
import { must } from '../../errors.ts';

// Buckets begin at whole multiples of their width since the epoch, in UTC, as the stores have them.
// Times are RFC 3339 UTC, widths and beginnings of buckets in seconds.

const microsOf = (time: string): number => must(parseInstant(time), 'times are validated');
const bucketAt = (micros: number, width: number): number =>
  (micros - (micros % (width * 1e6))) / 1e6;

/** The bucket that a time lies in. */
export const firstBucket = (start: string, width: number): number =>
  bucketAt(microsOf(start), width);

/** The last bucket that has begun before a time. */
export const lastBucket = (end: string, width: number): number =>
  bucketAt(microsOf(end) - 1, width);
