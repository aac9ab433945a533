import { analyse } from '../analysis/analyse.ts';
import type { AnalysedMetric, AnalysisInput, ArmData } from '../analysis/types.ts';
import type { Conclude, MetricOfUsers, RecalibrationOptions } from './types.ts';

type Analysis = RecalibrationOptions['analysis'];

const usersOf = (data: ArmData): number => {
  switch (data.kind) {
    case 'rate':
      return data.n;
    case 'quantile':
      return data.users;
    case 'mean':
    case 'ratio':
      return data.moments.n;
  }
};

function analysed(
  { key, direction }: Pick<MetricOfUsers, 'key' | 'direction'>,
  arms: readonly ArmData[],
  { method, alpha, plannedUsers }: Analysis,
): AnalysedMetric | undefined {
  const input: AnalysisInput = {
    arms: arms.map((data, index) => ({
      key: index === 0 ? 'control' : 'treatment',
      isControl: index === 0,
      users: usersOf(data),
    })),
    // Secondary: each metric's own p-value is under test, not what a family of goals makes of it.
    metrics: [{ key, role: 'secondary', margin: null, direction, data: arms }],
    options: { method, alpha, minSample: 0, plannedUsers, isOver: plannedUsers === null },
  };
  return analyse(input).metrics[0];
}

/** The value of a metric over all users; null where it has none. */
export const pooledValue = (
  metric: Pick<MetricOfUsers, 'key' | 'direction'>,
  all: ArmData,
  analysis: Analysis,
): number | null => analysed(metric, [all], analysis)?.arms[0]?.value ?? null;

/** Concludes as the results of an experiment do. */
export function concludeBy(analysis: Analysis): Conclude {
  const { alpha } = analysis;
  return (metric, arms) => {
    const result = analysed(metric, arms, analysis);
    const comparison = result?.comparisons[1] ?? null;
    if (result === undefined || comparison === null) return null;
    const { pValue, chanceToWin, lower, upper } = comparison;
    if (pValue === null && chanceToWin === null) return null;
    const isRejected =
      chanceToWin === null
        ? pValue !== null && pValue < alpha
        : chanceToWin >= 1 - alpha / 2 || chanceToWin <= alpha / 2;
    return { isRejected, pValue, lower, upper, arms: result.arms };
  };
}
