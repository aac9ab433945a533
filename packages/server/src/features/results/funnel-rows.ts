import { type ArmRow, armOf } from './arm-data.ts';
import type { FunnelMetric, ResolvedMetric } from './metric.ts';
import { type Column, columnOf } from './plan.ts';
import type { ArmStatistics, ArmSteps } from './question.ts';

/** A funnel and the columns that tell the events of its steps. */
export interface PlannedFunnel {
  readonly metric: FunnelMetric;
  readonly steps: readonly Column[];
}

export const funnelsOf = (metrics: readonly ResolvedMetric[]): readonly PlannedFunnel[] =>
  metrics.flatMap((metric) =>
    metric.kind === 'funnel'
      ? [{ metric, steps: metric.steps.map((step) => columnOf(step, null)) }]
      : [],
  );

/** The funnels of one arm, as both stores select them. */
export interface FunnelRow extends ArmRow {
  readonly users: number;
  /** Users who reached each step of each funnel, one after the other. */
  readonly reached: readonly number[];
}

/** What the rows say of each funnel: its steps, and the rate of the last. */
export function toFunnels(
  funnels: readonly PlannedFunnel[],
  rows: readonly FunnelRow[],
): { readonly arms: readonly ArmStatistics[]; readonly steps: readonly ArmSteps[] } {
  const steps = rows.flatMap((row) => {
    let next = 0;
    return funnels.map(({ metric, steps: { length } }) => {
      const users = row.reached.slice(next, next + length);
      next += length;
      return { ...armOf(row), metric: metric.key, users, n: row.users };
    });
  });
  return {
    arms: steps.map(({ users, n, ...of }) => ({
      ...of,
      data: { kind: 'rate', n, x: users.at(-1) ?? 0, joint: null },
    })),
    steps: steps.map(({ n: _, ...of }) => of),
  };
}
