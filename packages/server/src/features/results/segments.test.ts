import type { AnalysisOptions, ArmData } from '@assay/core/analysis';
import { describe, expect, it } from 'vitest';
import { splitOf } from '../../../test/results/splits.ts';
import type { Population } from './analysis-input.ts';
import { armsOf } from './arms.ts';
import { builtInMetric } from './built-ins.ts';
import { segmentResults } from './segments.ts';
import type { UsedMetric } from './use-metrics.ts';

const { variants } = splitOf([], [[50, 50]]);
const rate = (n: number, x: number): ArmData => ({ kind: 'rate', n, x, joint: null });
const OPTIONS: AnalysisOptions = {
  method: 'sequential',
  alpha: 0.05,
  minSample: 100,
  plannedUsers: null,
  isOver: false,
};

/** Goals `g0`, `g1` … of a control and a treatment of 1,000 users each in one segment. */
function goalsOf(
  ...outcomes: readonly (readonly [control: number, treatment: number])[]
): Population {
  const goals = outcomes.map(([control, treatment], index) => {
    const metric = { ...builtInMetric('conversion_rate', undefined), key: `g${index}` };
    const data = [rate(1_000, control), rate(1_000, treatment)];
    return { metric, data };
  });
  const arms = variants.flatMap(({ id }, arm) =>
    goals.map(({ metric, data }) => ({
      variantId: id,
      segment: 'DE',
      metric: metric.key,
      data: data[arm] ?? rate(0, 0),
    })),
  );
  const users = variants.map(({ id }) => ({ variantId: id, segment: 'DE', users: 1_000 }));
  const uses = goals.map(({ metric }): UsedMetric => {
    return { metric, role: 'goal', margin: null, isAsked: true, decides: true };
  });
  return { variants, uses, arms: armsOf({ users, arms, steps: [] }) };
}

/** Of each goal of the treatment against the control. */
function comparisonsOf(population: Population) {
  const [segment] = segmentResults(population, ['DE'], OPTIONS);
  return Object.values(segment?.variants[1]?.metrics ?? {}).map(({ vs_control }) => vs_control);
}

describe('the goals of segments', () => {
  it('are one family, in which those count that are not released yet', () => {
    const [alone] = comparisonsOf(goalsOf([100, 170]));
    const [beside, waiting] = comparisonsOf(goalsOf([100, 170], [2, 3], [4, 1]));
    expect(waiting).toMatchObject({ pending: 'not_released', p_value_adjusted: null });
    expect(beside?.p_value_adjusted).toBeCloseTo(3 * (alone?.p_value ?? 0), 12);
  });

  it('have a direction exactly where they are significant', () => {
    for (let more = 0; more <= 100; more++) {
      for (const comparison of comparisonsOf(goalsOf([100, 100 + more], [2, 3]))) {
        expect(comparison?.better !== null).toBe(comparison?.significant);
      }
    }
  });
});
