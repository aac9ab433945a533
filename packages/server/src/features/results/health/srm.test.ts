import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Cell, countsOf, splitOf } from '../../../../test/results/splits.ts';
import { srmOf } from './srm.ts';

const HALVES = [[50, 50]];
const srm = (cells: readonly Cell[], shares = HALVES) => srmOf(splitOf(cells, shares), []);

describe('the split of the users', () => {
  it('expects of each version its own shares', () => {
    const cells = [
      { version: 1, users: [200, 400, 400] },
      { version: 2, users: [790, 210, 0] },
    ];
    const shares = [
      [20, 40, 40],
      [80, 20, 0],
    ];
    expect(srm(cells, shares)).toMatchObject({
      status: 'ok',
      observed: [990, 610, 400],
      expected: [1_000, 600, 400],
      deviation_pct_points: [-0.5, 0.5, 0],
    });
  });

  it('alarms where it is another, and where a variant should be empty', () => {
    expect(srm([{ users: [300, 350, 350] }], [[20, 40, 40]]).status).toBe('alarm');
    const shares = [
      [40, 40, 20],
      [80, 20, 0],
    ];
    const cells = [
      { version: 1, users: [400, 400, 200] },
      { version: 2, users: [80, 20, 1] },
    ];
    expect(srm(cells, shares)).toMatchObject({ status: 'alarm', p_value: null });
  });

  it('is nothing to speak of without users', () => {
    expect(srm([], HALVES)).toEqual({
      status: 'not_enough_data',
      p_value: null,
      observed: [0, 0],
      expected: [0, 0],
      deviation_pct_points: [0, 0],
      sequential: { status: 'not_enough_data', p_value: null, posterior: null },
      over_time: [],
      by_segment: [],
    });
  });

  it('is seen up to the end of each day, and an alarm that was right stays', () => {
    const cells = [
      { day: 0, users: [500, 500] },
      { day: 3, users: [4_000, 2_500] },
      { day: 4, users: [1_000, 2_500] },
    ];
    const { status, sequential, over_time } = srm(cells);
    expect(status).toBe('ok');
    expect(sequential.status).toBe('alarm');
    expect(over_time.map(({ time }) => time.slice(0, 10))).toEqual([
      '2026-01-05',
      '2026-01-08',
      '2026-01-09',
    ]);
    expect(over_time[0]).toMatchObject({ p_value: 1, sequential_p_value: 1 });
    expect(over_time[1]?.p_value).toBeLessThan(1e-20);
    expect(over_time[2]).toMatchObject({ p_value: 1, sequential_p_value: sequential.p_value });
    expect(sequential.posterior).toBeLessThan(0.5);
  });

  it('is of versions with equal shares as if they were one', () => {
    const cells = (version: number): readonly Cell[] => [
      { day: 0, users: [300, 260] },
      { day: 1, version, users: [340, 250] },
    ];
    expect(srm(cells(2), [...HALVES, ...HALVES])).toEqual(srm(cells(1)));
  });

  it('has at most 400 points, of which the last is the last day', () => {
    const cells = Array.from({ length: 1_000 }, (_, day) => ({ day, users: [10, 10] }));
    const { over_time } = srm(cells);
    expect(over_time).toHaveLength(334);
    expect(over_time.at(-1)?.time.slice(0, 10)).toBe('2028-09-30');
  });

  it('never shows a p-value of zero, or a number that JSON has not', () => {
    const count = fc.integer({ min: 0, max: 1_000_000_000 });
    const cell = fc.record({
      users: fc.tuple(count, count, count),
      version: fc.integer({ min: 1, max: 3 }),
      day: fc.nat(5),
    });
    const shares = [
      [50, 50, 0],
      [20, 40, 40],
      [100, 0, 0],
    ];
    fc.assert(
      fc.property(fc.array(cell, { maxLength: 8 }), (cells) => {
        const found = srmOf(splitOf(cells, shares), [{ by: 'context.a', counts: countsOf(cells) }]);
        expect(JSON.stringify(found)).not.toMatch(/"(sequential_)?p_value":0[,}]/);
        expect(JSON.parse(JSON.stringify(found))).toEqual(found);
      }),
    );
  });
});

describe('the split within segments', () => {
  const segments = (cells: readonly Cell[]) => {
    const split = splitOf(cells, HALVES);
    return srmOf(split, [{ by: 'context.country', counts: split.counts }]).by_segment;
  };

  it('is judged by Bonferroni, from the most suspicious on', () => {
    const [list] = segments([
      { segment: 'AT', users: [500, 510] },
      { segment: 'DE', users: [600, 400] },
      { segment: null, users: [60, 40] },
      { segment: 'CH', users: [1, 0] },
    ]);
    expect(list).toMatchObject({ by: 'context.country', tested: 4 });
    expect(list?.items.map(({ segment, status }) => [segment, status])).toEqual([
      ['DE', 'alarm'],
      [null, 'ok'],
      ['AT', 'ok'],
      ['CH', 'ok'],
    ]);
    const missing = list?.items[1];
    expect(missing?.p_value_adjusted).toBeCloseTo(4 * (missing?.p_value ?? 0), 12);
  });

  it('comes in the order of the values where they are equally suspicious and large', () => {
    const names = [null, 'ß', 'b', 'a', 'Z', '10', '9'];
    const [list] = segments(names.map((segment) => ({ segment, users: [50, 50] })));
    const found = list?.items.map(({ segment }) => segment);
    expect(found).toEqual(['10', '9', 'Z', 'a', 'b', 'ß', null]);
  });

  it('shows a hundred segments at most', () => {
    const cells = Array.from({ length: 150 }, (_, index) => ({
      segment: `s${index}`,
      users: [50, 50],
    }));
    expect(segments(cells)[0]).toMatchObject({ tested: 150 });
    expect(segments(cells)[0]?.items).toHaveLength(100);
  });
});
