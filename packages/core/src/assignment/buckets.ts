import { murmur3Joined } from './murmur3.ts';

/** Buckets are 0…9999; shares and coverage are in hundredths of a percent, 0…10000. */
export const BUCKETS = 10_000;

/** A percentage with at most two decimals in hundredths of a percent, as a whole number. */
export function toHundredths(percentage: number): number {
  return Math.round(percentage * 100);
}

/**
 * The bucket of a user in an experiment, 0…9999: `murmur3(user_id + ":" + seed) % 10000`, the same
 * as ClickHouse's `murmurHash3_32(concat(user_id, ':', seed)) % 10000`.
 */
export function bucketOf(userId: string, seed: string): number {
  return murmur3Joined(userId, seed) % BUCKETS;
}

/** Half-open range of buckets that a variant owns. */
export interface BucketRange {
  readonly from: number;
  readonly to: number;
}

/**
 * The bucket ranges of variants in their order: variant i owns `[cum, cum + floor(coverage × share))`
 * where `cum` sums the full shares before it. Raising coverage only adds users to a variant.
 *
 * @param coverage share of users who enter, 0…10000
 * @param allocations share of each variant, 0…10000, summing to exactly 10000
 */
export function bucketRanges(
  coverage: number,
  allocations: readonly number[],
): readonly BucketRange[] {
  let from = 0;
  return allocations.map((allocation) => {
    const range = { from, to: from + Math.floor((coverage * allocation) / BUCKETS) };
    from += allocation;
    return range;
  });
}
