import { analyse } from '../analysis/analyse.ts';
import { usersOf } from '../analysis/arm-sample.ts';
import type { AnalysedMetric, AnalysisInput, ArmData } from '../analysis/types.ts';
import type { Conclude, MetricOfUsers, RecalibrationOptions } from './types.ts';

type Analysis = RecalibrationOptions['analysis'];

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
    // Over, so that a test which is read once may be; a plan is judged as far as it has come.
    options: { method, alpha, minSample: 0, plannedUsers, isOver: true },
  };
  return analyse(input).metrics[0];
}

/** The value of a metric over all users; null where it has none. */
export const pooledValue = (
  metric: Pick<MetricOfUsers, 'key' | 'direction'>,
  all: ArmData,
  analysis: Analysis,
): number | null => analysed(metric, [all], analysis)?.arms[0]?.value ?? null;

/** A rate that nobody has, or everybody: every split is the same, and none says anything of a test. */
const isConstantRate = (arms: readonly ArmData[]): boolean =>
  arms.every((arm) => arm.kind === 'rate' && arm.x === 0) ||
  arms.every((arm) => arm.kind === 'rate' && arm.x === arm.n);

/** Concludes as the results of an experiment do. */
export function concludeBy(analysis: Analysis): Conclude {
  return (metric, arms) => {
    if (isConstantRate(arms)) return null;
    const result = analysed(metric, arms, analysis);
    const comparison = result?.comparisons[1] ?? null;
    if (result === undefined || comparison === null) return null;
    const { pValue, chanceToWin, significant, lower, upper } = comparison;
    if (pValue === null && chanceToWin === null) return null;
    return { isRejected: significant, pValue, lower, upper, arms: result.arms };
  };
}
