import { parseInstant } from '@assay/core';
import { must } from '../../errors.ts';

// Buckets begin at whole multiples of their width since the epoch, in UTC, as the stores have them.
// Times are RFC 3339 UTC, widths and beginnings of buckets in seconds.

const microsOf = (time: string): number => must(parseInstant(time), 'times are validated');
const bucketAt = (micros: number, width: number): number =>
  (micros - (micros % (width * 1e6))) / 1e6;

/**
 * The beginnings of all buckets that a series has, in order: those that have begun from its start to
 * before its end, and of later ones those in which something was. Silence after the end says nothing.
 *
 * @param seen beginnings of the buckets in which something was
 */
export function bucketsBetween(
  start: string,
  end: string,
  width: number,
  seen: readonly number[],
): readonly number[] {
  const first = bucketAt(microsOf(start), width);
  const last = bucketAt(microsOf(end) - 1, width);
  const length = Math.max(0, (last - first) / width + 1);
  const later = new Set(seen.filter((time) => time >= first && time > last));
  return [
    ...Array.from({ length }, (_, index) => first + index * width),
    ...[...later].sort((a, b) => a - b),
  ];
}
