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

type Outcomes = readonly (readonly [control: number, treatment: number])[];

/** Goals `g0`, `g1` … of a control and a treatment of 1,000 users each, in every segment. */
function goalsIn(segments: Readonly<Record<string, Outcomes>>): Population {
  const keys = Object.values(segments)[0]?.map((_, index) => `g${index}`) ?? [];
  const arms = Object.entries(segments).flatMap(([segment, outcomes]) =>
    variants.flatMap(({ id }, arm) =>
      keys.map((metric, goal) => ({
        variantId: id,
        segment,
        metric,
        data: rate(1_000, outcomes[goal]?.[arm] ?? 0),
      })),
    ),
  );
  const names = Object.keys(segments);
  const users = variants.flatMap(({ id }) => [
    { variantId: id, users: 1_000 * names.length },
    ...names.map((segment) => ({ variantId: id, segment, users: 1_000 })),
  ]);
  const uses = keys.map((key): UsedMetric => {
    const metric = { ...builtInMetric('conversion_rate', undefined), key };
    return { metric, role: 'goal', margin: null, isAsked: true, decides: true };
  });
  return { variants, uses, arms: armsOf({ users, arms, steps: [] }) };
}

/** The same in one segment. */
const goalsOf = (...outcomes: Outcomes): Population => goalsIn({ DE: outcomes });

/** Of each goal of the treatment against the control. */
function comparisonsOf(population: Population) {
  const [segment] = segmentResults(population, ['DE'], OPTIONS);
  return Object.values(segment?.variants[1]?.metrics ?? {}).map(({ vs_control }) => vs_control);
}

describe('a segment', () => {
  it('is as far as the experiment is to its plan, and ends with it', () => {
    const population = goalsIn({ DE: [[100, 140]], FR: [[100, 101]] });
    const of = (options: Partial<AnalysisOptions>) => {
      const [segment] = segmentResults(population, ['DE', 'FR'], { ...OPTIONS, ...options });
      const comparison = segment?.variants[1]?.metrics.g0?.vs_control;
      if (!comparison) throw new Error('nothing was compared');
      return comparison;
    };
    const [onTheWay, atTheEnd] = [8_000, 4_000].map((plannedUsers) => of({ plannedUsers }));
    expect(onTheWay).toMatchObject({ test: 'group_sequential', significant: false });
    expect(atTheEnd).toMatchObject({ test: 'group_sequential', significant: true });
    const fixed = of({ method: 'fixed', plannedUsers: 4_000 });
    expect(fixed).toMatchObject({ pending: null, significant: true });
    // The end of a plan asks for little more than a test that is read once.
    expect((atTheEnd?.p_value ?? 1) / (fixed.p_value ?? 1)).toBeLessThan(1.5);
  });
});

describe('the goals of segments', () => {
  it('are one family, in which those count that are not released yet', () => {
    const [alone] = comparisonsOf(goalsOf([100, 170]));
    const [beside, waiting] = comparisonsOf(goalsOf([100, 170], [2, 3], [4, 1]));
    expect(waiting).toMatchObject({ pending: 'not_released', p_value_adjusted: null });
    expect(beside?.p_value_adjusted).toBeCloseTo(3 * (alone?.p_value ?? 0), 12);
  });

  it('count in every segment that is not released yet', () => {
    const population = goalsIn({ DE: [[100, 170]], FR: [[2, 3]], SE: [[4, 1]] });
    const [segment] = segmentResults(population, ['DE', 'FR', 'SE'], OPTIONS);
    const comparison = segment?.variants[1]?.metrics.g0?.vs_control;
    expect(comparison?.p_value_adjusted).toBeCloseTo(3 * (comparison?.p_value ?? 0), 12);
  });

  it('have a direction exactly where they are significant', () => {
    for (let more = 0; more <= 100; more++) {
      for (const comparison of comparisonsOf(goalsOf([100, 100 + more], [2, 3]))) {
        expect(comparison?.better !== null).toBe(comparison?.significant);
      }
    }
  });
});
