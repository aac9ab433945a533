import { describe, expect, it } from 'vitest';
import type { ExperimentPlan } from '../../experiments/experiment.ts';
import { planChanges } from './plan-changes.ts';

const PLAN: ExperimentPlan = {
  method: 'sequential',
  confidence_level: 95,
  expected_users: 10_000,
  ends_at: null,
  metrics: [{ metric: 'buys', role: 'goal' }],
};

const changesOf = (...plans: readonly (ExperimentPlan | null)[]) =>
  planChanges(
    plans.map((plan, day) => ({
      version: day + 2,
      effectiveAt: new Date(Date.UTC(2026, 0, 1 + day)).toISOString().slice(0, 10),
      plan,
      allocations: [{ variantId: 1, allocation: 5_000 }],
    })),
    [],
  );

describe('the changes of a plan', () => {
  it('are none where versions changed nothing that decides', () => {
    expect(changesOf()).toEqual([]);
    expect(changesOf(PLAN)).toEqual([]);
    expect(changesOf(PLAN, { ...PLAN }, { ...PLAN, metrics: [...PLAN.metrics] })).toEqual([]);
  });

  it('are none where metrics come in another order, but for which goal is the first', () => {
    const [buys, pays, slow] = [
      { metric: 'buys', role: 'goal' },
      { metric: 'pays', role: 'goal' },
      { metric: 'slow', role: 'guardrail' },
    ] as const;
    const of = (...metrics: ExperimentPlan['metrics']) => ({ ...PLAN, metrics });
    expect(changesOf(of(buys, pays, slow), of(slow, buys, pays))).toEqual([]);
    expect(changesOf(of(buys, pays, slow), of(pays, buys, slow))).toHaveLength(1);
  });

  it('are told with their version and time, also when they were taken back', () => {
    const larger = { ...PLAN, expected_users: 20_000, method: 'fixed' } as const;
    expect(changesOf(PLAN, larger, PLAN)).toEqual([
      { field: 'analysis.method', version: 3, time: '2026-01-02' },
      { field: 'analysis.expected_users', version: 3, time: '2026-01-02' },
      { field: 'analysis.method', version: 4, time: '2026-01-03' },
      { field: 'analysis.expected_users', version: 4, time: '2026-01-03' },
    ]);
  });

  it('are not guessed for versions whose plan nobody kept', () => {
    const later = { ...PLAN, ends_at: '2026-02-01T00:00:00.000000Z' };
    expect(changesOf(null, PLAN)).toEqual([]);
    expect(changesOf(PLAN, null, later)).toEqual([
      { field: 'ends_at', version: 4, time: '2026-01-03' },
    ]);
  });

  it('are also those of the split and of the meaning of metrics, whatever is known of plans', () => {
    const versions = [5_000, 5_000, 2_000].map((allocation, day) => ({
      version: day + 2,
      effectiveAt: new Date(Date.UTC(2026, 0, 1 + day)).toISOString().slice(0, 10),
      plan: null,
      allocations: [{ variantId: 1, allocation }],
    }));
    const redefinitions = [{ metric: 'buys', time: '2026-01-02T12' }];
    expect(planChanges(versions, redefinitions)).toEqual([
      { field: 'metrics', metric: 'buys', version: 3, time: '2026-01-02T12' },
      { field: 'variants', version: 4, time: '2026-01-03' },
    ]);
  });

  it('are the last ten of each thing, so that none hides another', () => {
    const many = Array.from({ length: 80 }, (_, k) => ({ ...PLAN, expected_users: k + 1 }));
    const found = changesOf({ ...PLAN, method: 'fixed' }, ...many);
    expect(found.map(({ field }) => field)).toEqual([
      'analysis.method',
      ...Array(10).fill('analysis.expected_users'),
    ]);
    expect(found.at(-1)?.version).toBe(82);
  });
});
