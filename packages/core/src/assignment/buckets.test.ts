import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BUCKETS, bucketOf, bucketRanges } from './buckets.ts';

/** Shares in hundredths of a percent that sum to exactly 10000. */
const shares = fc
  .array(fc.integer({ min: 0, max: BUCKETS }), { minLength: 1, maxLength: 9 })
  .map((cuts) => {
    const sorted = [0, ...cuts.sort((a, b) => a - b), BUCKETS];
    return sorted.slice(1).map((cut, index) => cut - (sorted[index] ?? 0));
  });

describe('bucketRanges', () => {
  it('splits everything at full coverage, as the plain cumulative rule does', () => {
    expect(bucketRanges(BUCKETS, [5_000, 3_000, 2_000])).toEqual([
      { from: 0, to: 5_000 },
      { from: 5_000, to: 8_000 },
      { from: 8_000, to: 10_000 },
    ]);
    expect(bucketRanges(BUCKETS, [3_333, 3_333, 3_334]).at(-1)).toEqual({
      from: 6_666,
      to: 10_000,
    });
  });

  it('keeps each start and shortens each range at lower coverage', () => {
    expect(bucketRanges(1_000, [5_000, 5_000])).toEqual([
      { from: 0, to: 500 },
      { from: 5_000, to: 5_500 },
    ]);
    // floor, not rounding
    expect(bucketRanges(3_333, [3_333, 6_667])).toEqual([
      { from: 0, to: 1_110 },
      { from: 3_333, to: 3_333 + 2_222 },
    ]);
  });

  it('never moves a user when coverage is raised', () => {
    const coverage = fc.integer({ min: 0, max: BUCKETS });
    fc.assert(
      fc.property(shares, coverage, coverage, fc.string(), (allocations, a, b, user) => {
        const [low, high] = a < b ? [a, b] : [b, a];
        const bucket = bucketOf(user, 'seed');
        const variantAt = (c: number) =>
          bucketRanges(c, allocations).findIndex(({ from, to }) => bucket >= from && bucket < to);
        const before = variantAt(low);
        if (before >= 0) expect(variantAt(high)).toBe(before);
      }),
    );
  });

  it('covers every bucket exactly once at full coverage', () => {
    fc.assert(
      fc.property(shares, (allocations) => {
        const ranges = bucketRanges(BUCKETS, allocations);
        expect(ranges.reduce((sum, { from, to }) => sum + to - from, 0)).toBe(BUCKETS);
        ranges.forEach(({ from }, index) => {
          expect(from).toBe(ranges[index - 1]?.to ?? 0);
        });
      }),
    );
  });
});

describe('bucketOf', () => {
  it('spreads users evenly', () => {
    const tenths = new Array<number>(10).fill(0);
    const users = 100_000;
    for (let i = 0; i < users; i++) {
      const tenth = Math.floor(bucketOf(`user-${i}`, 'spread') / 1_000);
      tenths[tenth] = (tenths[tenth] ?? 0) + 1;
    }
    const expected = users / 10;
    const chiSquare = tenths.reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0);
    // The 99.9 % quantile of chi-square with 9 degrees of freedom.
    expect(chiSquare).toBeLessThan(27.9);
  });
});
