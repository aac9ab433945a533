import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  chiSquareSrm,
  periodsSequentialSrm,
  periodsSrm,
  type SrmContribution,
  sequentialSrm,
  srmContributions,
  srmTest,
  srmTrend,
  varyingWeightsSrm,
} from '../index.ts';

const countsOf = (arms: number) =>
  fc.array(fc.integer({ min: 1, max: 20_000 }), { minLength: arms, maxLength: arms });
const weightsOf = (arms: number) =>
  fc.array(fc.integer({ min: 1, max: 9 }), { minLength: arms, maxLength: arms });
/** Parts of one to three periods, of two to four arms. */
const partsLists = fc.integer({ min: 2, max: 4 }).chain((arms) =>
  fc.array(
    fc.array(fc.record({ counts: countsOf(arms), weights: weightsOf(arms) }), {
      minLength: 1,
      maxLength: 3,
    }),
    { minLength: 1, maxLength: 6 },
  ),
);
const half = (counts: readonly number[]) => [{ counts, weights: [1, 1] }];

describe('the parts of a mismatch', () => {
  it('share its excess and its units', () => {
    fc.assert(
      fc.property(partsLists, (parts) => {
        const found = srmContributions(parts);
        if (found.status !== 'ok') return false;
        const sum = (of: (part: SrmContribution) => number) =>
          found.parts.reduce((total, part) => total + of(part), 0);
        const isExact = varyingWeightsSrm(parts.flat());
        const excess =
          isExact.status === 'ok' && isExact.wald > 1e-6 ? 1 : sum((p) => p.shareOfExcess);
        return (
          Math.abs(sum((part) => part.shareOfUnits) - 1) < 1e-9 &&
          Math.abs(sum((part) => part.shareOfExcess) - excess) < 1e-6
        );
      }),
    );
  });

  it('are tested by themselves as Pearson does, and against the rest', () => {
    const parts = [half([5_000, 5_000]), half([600, 400]), half([2_000, 2_010])];
    const found = srmContributions(parts);
    if (found.status !== 'ok') throw new Error(found.status);
    const pearson = chiSquareSrm([600, 400], [1, 1]);
    const rest = chiSquareSrm([7_000, 7_010], [1, 1]);
    if (pearson.status !== 'ok' || rest.status !== 'ok') throw new Error('no test');
    expect(found.parts[1]?.chiSquare).toBeCloseTo(pearson.chiSquare, 9);
    expect(found.parts[1]?.pValueOfRest).toBeCloseTo(rest.pValue, 9);
    expect(found.parts[1]?.pValueOfDifference).toBeLessThan(1e-6);
    expect(found.parts[1]?.shareOfExcess).toBeCloseTo(100 / 95, 9);
    expect(found.parts[2]?.shareOfExcess).toBeLessThan(0);
  });

  it('take their share of the units where all are split alike', () => {
    const found = srmContributions([half([1_100, 900]), half([5_500, 4_500])]);
    if (found.status !== 'ok') throw new Error(found.status);
    for (const part of found.parts) {
      expect(part.shareOfExcess).toBeCloseTo(part.shareOfUnits, 12);
      expect(part.pValueOfDifference).toBeCloseTo(1, 6);
    }
  });

  it('have no rest when there is one, and are refused without units', () => {
    expect(srmContributions([half([60, 40])])).toMatchObject({
      parts: [{ pValueOfRest: null, pValueOfDifference: null, shareOfExcess: 1 }],
    });
    expect(srmContributions([])).toEqual({ status: 'NO_UNITS' });
  });
});

describe('a trend', () => {
  it('is found where a mismatch grows, and not where it stays or goes', () => {
    const days = (rate: (day: number) => number) =>
      Array.from({ length: 10 }, (_, day) =>
        half([5_000 + Math.round(5_000 * rate(day)), 5_000 - Math.round(5_000 * rate(day))]),
      );
    const p = (rate: (day: number) => number): number => {
      const trend = srmTrend(days(rate));
      return trend.status === 'ok' ? trend.pValue : Number.NaN;
    };
    expect(p((day) => 0.01 * day)).toBeLessThan(1e-6);
    expect(p(() => 0.05)).toBeCloseTo(0.5, 6);
    expect(p((day) => 0.1 - 0.01 * day)).toBeGreaterThan(0.999);
  });

  it('needs three looks', () => {
    expect(srmTrend([half([60, 40]), half([60, 40])])).toEqual({ status: 'INSUFFICIENT_UNITS' });
  });
});

describe('periods of weights', () => {
  it('are one test when there is one', () => {
    expect(periodsSrm([{ counts: [9, 0], weights: [1, 1] }])).toEqual(srmTest([9, 0], [1, 1]));
    expect(periodsSrm([])).toEqual({ status: 'NO_UNITS' });
  });

  it('show what their sums hide', () => {
    const periods = [
      { counts: [80, 20], weights: [8, 2] },
      { counts: [1, 99], weights: [0, 1] },
    ];
    expect(periodsSrm(periods)).toEqual({ status: 'UNEXPECTED_ARM' });
    const fair = [
      { counts: [800, 200], weights: [8, 2] },
      { counts: [0, 99], weights: [0, 1] },
    ];
    expect(periodsSrm(fair)).toMatchObject({ level: 'ok', chiSquare: 0, df: 1 });
    const few = [
      { counts: [4, 1], weights: [8, 2] },
      { counts: [1, 1], weights: [1, 1] },
    ];
    expect(periodsSrm(few)).toMatchObject({ level: 'not_enough_data', pValue: null });
  });

  it('multiply their Bayes factors', () => {
    const looks = [
      [300, 200],
      [900, 700],
    ];
    const alone = sequentialSrm(looks, [1, 1]);
    const one = periodsSequentialSrm([{ weights: [1, 1], cumulativeCounts: looks }]);
    if (alone.status !== 'ok' || one.status !== 'ok') throw new Error('refused');
    expect(one.pValue).toEqual(alone.pValue);
    const two = periodsSequentialSrm([
      { weights: [1, 1], cumulativeCounts: looks },
      { weights: [1, 1], cumulativeCounts: looks },
    ]);
    if (two.status !== 'ok') throw new Error(two.status);
    expect(two.pValue[1]).toBeCloseTo((alone.pValue[1] ?? 1) ** 2, 12);
    expect(periodsSequentialSrm([])).toEqual({
      status: 'ok',
      pValue: [],
      posteriorProbabilityOfSrm: [],
    });
  });

  it('refuse looks that do not fit', () => {
    const uneven = [
      { weights: [1, 1], cumulativeCounts: [[1, 1]] },
      { weights: [1, 1], cumulativeCounts: [] },
    ];
    expect(periodsSequentialSrm(uneven)).toEqual({ status: 'INVALID_INPUT' });
    expect(periodsSequentialSrm([{ weights: [1, 0], cumulativeCounts: [[1, 1]] }])).toEqual({
      status: 'UNEXPECTED_ARM',
    });
  });
});
