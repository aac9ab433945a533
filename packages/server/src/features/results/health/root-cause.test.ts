import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Cell, splitOf } from '../../../../test/results/splits.ts';
import type { Circumstances } from './causes.ts';
import { rootCauseOf } from './root-cause.ts';
import type { Split } from './split.ts';
import { srmOf } from './srm.ts';

const HALVES = [[50, 50]];
const QUIET: Circumstances = { conflictShare: 0, filteredBy: [] };

/** With segments by country where the cells have some. */
function rootCause(
  cells: readonly Cell[],
  { shares = HALVES, ...circumstances }: { shares?: number[][] } & Partial<Circumstances> = {},
) {
  const split = splitOf(cells, shares);
  const hasSegments = cells.some(({ segment }) => segment !== undefined);
  const segments = hasSegments ? [{ by: 'context.country', counts: split.counts }] : [];
  return rootCauseOf(split, segments, { ...QUIET, ...circumstances }, true);
}

const patterns = ({ causes }: ReturnType<typeof rootCause>) => causes.map(({ pattern }) => pattern);
/** Ten days of about the given users, which alternate a little. */
const days = (usersOf: (day: number) => readonly number[]): readonly Cell[] =>
  Array.from({ length: 10 }, (_, day) => {
    const [first = 0, ...rest] = usersOf(day);
    return { day, users: [first + (day % 2 === 0 ? 3 : -3), ...rest] };
  });

describe('a mismatch', () => {
  it('of one day', () => {
    const found = rootCause(days((day) => (day === 4 ? [700, 500] : [500, 500])));
    expect(patterns(found)).toEqual(['one_day']);
    expect(found.causes[0]).toMatchObject({
      stages: ['logging', 'execution', 'interference'],
      place: { dimension: 'day', attribute: null, value: '2026-01-09' },
    });
    expect(found.contributions[0]).toMatchObject({
      dimension: 'day',
      value: '2026-01-09',
      users: 1_203,
      variant: 'control',
    });
    expect(found.contributions[0]?.share_of_excess).toBeCloseTo(1, 1);
    expect(found.contributions[0]?.share_of_users).toBeCloseTo(0.118, 2);
    expect(found.contributions[0]?.deviation_pct_points).toBeCloseTo(8.4, 1);
  });

  it('of one version', () => {
    const found = rootCause(
      [
        { version: 1, users: [5_000, 5_010] },
        { version: 2, users: [600, 420] },
        { version: 3, users: [3_000, 3_010] },
      ],
      { shares: [...HALVES, ...HALVES, ...HALVES] },
    );
    expect(patterns(found)).toEqual(['one_version']);
    expect(found.causes[0]?.place).toMatchObject({ dimension: 'version', value: '2' });
  });

  it('right after a re-weighting, by version and by day', () => {
    const shares = [
      [50, 50],
      [80, 20],
    ];
    const found = rootCause(
      [
        { version: 1, day: 0, users: [5_000, 5_010] },
        { version: 2, day: 1, users: [600, 430] },
        { version: 2, day: 2, users: [8_000, 2_005] },
      ],
      { shares },
    );
    expect(patterns(found)).toEqual(['after_reweighting', 'after_reweighting']);
    expect(found.causes.map(({ place }) => place?.dimension).sort()).toEqual(['day', 'version']);
    expect(found.causes[0]?.message).toContain('version 2 changed the shares');
  });

  it.each([
    ['reported', 'execution'],
    ['hash', 'assignment'],
  ] as const)('of users who were %s', (source, stage) => {
    const found = rootCause([
      { source: 'hash', users: source === 'hash' ? [600, 400] : [500, 490] },
      { source: 'reported', users: source === 'hash' ? [500, 490] : [600, 400] },
    ]);
    expect(patterns(found)).toEqual(['one_source']);
    expect(found.causes[0]?.place?.value).toBe(source);
    expect(found.causes[0]?.stages[0]).toBe(stage);
  });

  it('of one segment', () => {
    const found = rootCause([
      { segment: 'DE', users: [5_000, 5_020] },
      { segment: 'AT', users: [1_200, 800] },
      { segment: null, users: [700, 690] },
    ]);
    expect(patterns(found)).toEqual(['one_segment']);
    expect(found.causes[0]).toMatchObject({
      place: { dimension: 'segment', attribute: 'context.country', value: 'AT' },
    });
    expect(found.causes[0]?.message).toContain('context.country is "AT"');
    const missing = rootCause([
      { segment: 'DE', users: [5_000, 5_020] },
      { segment: null, users: [1_200, 800] },
    ]);
    expect(missing.causes[0]?.message).toContain('context.country is missing');
  });

  it('that grows', () => {
    const found = rootCause(days((day) => [1_000 + 30 * day, 1_000 - 30 * day]));
    expect(patterns(found)).toEqual(['growing']);
    expect(found.causes[0]?.stages).toEqual(['interference', 'execution']);
  });

  it('of several parts', () => {
    const found = rootCause(
      days((day) => (day === 2 || day === 6 ? [1_000, 700] : [1_000, 1_000])),
    );
    expect(patterns(found)).toEqual(['uneven']);
    expect(found.causes[0]?.message).toContain('several days');
    expect(found.contributions.slice(0, 2).map(({ value }) => value)).toEqual([
      '2026-01-07',
      '2026-01-11',
    ]);
  });

  it('everywhere', () => {
    const cells = days(() => [1_100, 1_000]).flatMap(({ users, ...cell }) =>
      ['DE', 'AT'].map((segment) => ({ ...cell, users, segment })),
    );
    const found = rootCause(cells);
    expect(patterns(found)).toEqual(['everywhere']);
    expect(found.causes[0]?.message).toContain('in all days and segments of context.country');
    for (const part of found.contributions) {
      expect(Math.abs(part.share_of_excess / part.share_of_users - 1)).toBeLessThan(0.1);
    }
  });

  it('of users in a variant without a share', () => {
    const shares = [
      [50, 50],
      [100, 0],
    ];
    const found = rootCause(
      [
        { version: 1, users: [5_000, 5_010] },
        { version: 2, users: [900, 12] },
      ],
      { shares },
    );
    expect(patterns(found)).toEqual(['unexpected_variant']);
    expect(found.causes[0]?.message).toContain('12 users are in "blue"');
  });

  it('beside conflicts, and in filtered users', () => {
    const found = rootCause(
      days(() => [1_100, 1_000]),
      { conflictShare: 0.02, filteredBy: ['context.app'] },
    );
    expect(patterns(found)).toEqual(['everywhere', 'conflicts', 'filtered']);
    expect(found.causes[1]?.message).toContain('2.0 % of the users');
    expect(found.causes[2]).toMatchObject({ stages: ['analysis'] });
  });
});

describe('the ranking', () => {
  it('has ten parts at most, of those that can be tested and are not everybody', () => {
    const cells = Array.from({ length: 30 }, (_, day) => ({
      day,
      users: [day === 0 ? 4 : 100, day === 0 ? 0 : 90 + day],
    }));
    const { contributions } = rootCause(cells);
    expect(contributions).toHaveLength(10);
    expect(contributions.map(({ value }) => value)).not.toContain('2026-01-05');
    expect(new Set(contributions.map(({ dimension }) => dimension))).toEqual(new Set(['day']));
    const strengths = contributions.map(({ standardised }) => standardised);
    expect(strengths).toEqual([...strengths].sort((a, b) => b - a));
  });

  it('does not depend on the order in which a store counts', () => {
    const shares = [
      [40, 60, 0],
      [50, 50, 0],
      [60, 30, 10],
    ];
    const cell = fc.record({
      users: fc.tuple(fc.constantFrom(50, 60, 900), fc.constantFrom(50, 60), fc.constantFrom(0, 7)),
      version: fc.integer({ min: 1, max: 3 }),
      day: fc.nat(3),
      segment: fc.constantFrom('DE', 'AT', null),
    });
    const counted = fc
      .array(cell, { maxLength: 12 })
      .map((cells) => splitOf(cells, shares))
      .chain((split) =>
        fc.record({
          split: fc.constant(split),
          counts: fc.shuffledSubarray([...split.counts], { minLength: split.counts.length }),
        }),
      );
    const found = (split: Split) => {
      const segments = [{ by: 'context.country', counts: split.counts }];
      return [srmOf(split, segments), rootCauseOf(split, segments, QUIET, true)];
    };
    fc.assert(
      fc.property(counted, ({ split, counts }) => {
        expect(found({ ...split, counts })).toEqual(found(split));
      }),
    );
  });

  it('is there without causes while the split is as planned', () => {
    const split = splitOf(
      days(() => [500, 500]),
      HALVES,
    );
    const found = rootCauseOf(split, [], QUIET, false);
    expect(found.causes).toEqual([]);
    expect(found.contributions).toHaveLength(10);
  });

  it('is empty without users', () => {
    expect(rootCauseOf(splitOf([], HALVES), [], QUIET, false)).toEqual({
      contributions: [],
      causes: [],
    });
  });
});
