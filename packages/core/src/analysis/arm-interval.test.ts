import { describe, expect, it } from 'vitest';
import { input, metric, quantile, rate, ratios } from '../../test/analysis/inputs.ts';
import { analyse } from './analyse.ts';
import { boundaryOf } from './boundary.ts';
import type { PlannedLook } from './planned-boundary.ts';
import type { AnalysisOptions, ArmData, ArmEstimate } from './types.ts';

const OPEN: Partial<AnalysisOptions> = { method: 'sequential', isOver: false };

/** An arm of which only the moments matter. */
const mean = (n: number, value: number, variance: number): ArmData => ({
  kind: 'mean',
  total: n * value,
  moments: { n, mean: [value], products: [[variance * (n - 1)]] },
});

describe('the interval of an arm by itself', () => {
  const armsOf = (data: readonly ArmData[], options: Partial<AnalysisOptions>) =>
    analyse(input([metric(data)], options)).metrics[0]?.arms ?? [];
  /** Half of an interval's width. */
  const half = (arm: ArmEstimate | undefined): number =>
    ((arm?.upper ?? Number.NaN) - (arm?.lower ?? Number.NaN)) / 2;
  /** What the boundary is at a look, by an arm's own users or those of the plan. */
  const criticalOf = (n: number, plan: PlannedLook | null): number =>
    boundaryOf(0.05, 2, plan)?.critical(n) ?? Number.NaN;
  const MEANS = [mean(4000, 10, 25), mean(1000, 11, 36)];

  it('is of one look by the methods that are read once, or as a belief', () => {
    for (const data of [MEANS, [rate(4000, 400), rate(1000, 3)]]) {
      const once = armsOf(data, { method: 'fixed' });
      expect(armsOf(data, { method: 'bayesian', isOver: false })).toEqual(once);
      expect(armsOf(data, { method: 'fixed', isOver: false, plannedUsers: 9000 })).toEqual(once);
    }
  });

  it('is a confidence sequence by the sequential one, tuned for 5000 users of the arm', () => {
    const [control, treatment] = armsOf(MEANS, OPEN);
    const pooled = (3999 * 25 + 999 * 36) / 4998;
    expect(half(control)).toBeCloseTo(criticalOf(4000, null) * Math.sqrt(pooled / 4000), 12);
    expect(half(treatment)).toBeCloseTo(criticalOf(1000, null) * Math.sqrt(36 / 1000), 12);
    // What is said of the arm's own values is that of every method.
    expect(treatment).toMatchObject({ value: 11, standardError: Math.sqrt(36 / 1000) });
    expect(control?.standardError).toBe(Math.sqrt(25 / 4000));
  });

  it('is by the boundary of the plan where there is one, at its end hardly wider than at one look', () => {
    const at = (plannedUsers: number, options: Partial<AnalysisOptions> = {}) =>
      half(
        armsOf([mean(2000, 10, 25), mean(2000, 11, 25)], { ...OPEN, plannedUsers, ...options })[1],
      );
    const se = Math.sqrt(25 / 2000);
    expect(at(16_000)).toBeCloseTo(criticalOf(0, { fraction: 0.25, isEnd: false }) * se, 12);
    expect(at(4000) / se).toBeCloseTo(1.98, 2);
    // As for the comparison: what is left is for an end that was set beforehand, and came.
    expect(at(16_000, { isOver: true })).toBe(at(16_000));
    expect(at(16_000, { isOver: true, endedAsPlanned: true })).toBeLessThan(at(16_000));
  });

  it('holds the rates that are within the boundary of their own errors', () => {
    for (const plannedUsers of [null, 40_000]) {
      const data = [rate(2000, 1000), rate(2000, 12)];
      const plan = plannedUsers === null ? null : { fraction: 0.1, isEnd: false };
      const critical = criticalOf(2000, plan);
      const [, treatment] = armsOf(data, { ...OPEN, plannedUsers });
      for (const p of [treatment?.lower ?? Number.NaN, treatment?.upper ?? Number.NaN]) {
        expect(Math.abs(0.006 - p) / Math.sqrt((p * (1 - p)) / 2000)).toBeCloseTo(critical, 9);
      }
      expect(treatment?.lower).toBeGreaterThan(0);
    }
  });

  it('is that of a quantile and of a ratio too', () => {
    const users = Array.from({ length: 900 }, (_, i) => [1 + ((i * 37) % 101)]);
    const visits = Array.from({ length: 900 }, (_, i) => [
      (1 + (i % 3)) * (5 + (i % 7)),
      1 + (i % 3),
    ]);
    for (const data of [[quantile(users, 0.5)], ratios(visits)]) {
      const [arm] = armsOf(data, OPEN);
      const expected = criticalOf(900, null) * (arm?.standardError ?? Number.NaN);
      expect(half(arm)).toBeCloseTo(expected, 9);
    }
  });

  it('waits for the release of its own arm, and of no other', () => {
    const few = [rate(5000, 500), rate(99, 40), rate(5000, 9), rate(5000, 4991), rate(5000, 10)];
    const shown = armsOf(few, OPEN).map(({ lower, upper }) => [lower !== null, upper !== null]);
    expect(shown.map(([lower]) => lower)).toEqual([true, false, false, false, true]);
    expect(shown.map(([, upper]) => upper)).toEqual([true, false, false, false, true]);
    expect(armsOf(few, OPEN)[1]).toMatchObject({ value: 40 / 99, sampleSize: 99 });
    const [small, large] = armsOf([mean(99, 1, 1), mean(100, 1, 1)], OPEN);
    expect(small).toMatchObject({ value: 1, lower: null, upper: null });
    expect(large?.lower).toBeLessThan(1);
  });

  it('is none of values that do not vary in any arm, with a plan as without', () => {
    for (const plannedUsers of [null, 1000, 4000]) {
      const [arm] = armsOf([mean(500, 1, 0), mean(500, 2, 0)], { ...OPEN, plannedUsers });
      expect(arm).toMatchObject({ value: 1, standardError: null, lower: null, upper: null });
    }
    // Few of something rare may be alike by chance: the other arms know how much it varies.
    const [constant] = armsOf([mean(500, 0, 0), mean(500, 2, 4)], OPEN);
    expect(constant?.standardError).toBeNull();
    expect(constant?.upper).toBeGreaterThan(0);
  });
});
