import { armEstimate } from './arm-estimate.ts';
import { armIntervals } from './arm-interval.ts';
import { compareArm, prepare } from './compare.ts';
import { adjustFamily } from './families.ts';
import { judge } from './judge.ts';
import { finite } from './measured.ts';
import { settingOf } from './setting.ts';
import type { Analysis, AnalysisInput } from './types.ts';

/**
 * Everything that is said of an experiment's metrics: the estimates of every arm, every treatment
 * against the control by the chosen method, p-values adjusted over the goals, verdicts, guardrails.
 * Pure: equal input, equal output. What cannot be computed, or may not be shown yet, is null with a
 * reason; no number of the output is NaN or infinite, whatever the input.
 */
export function analyse(input: AnalysisInput): Analysis {
  const setting = settingOf(input);
  const { arms, control, options, isFinal, informationFraction } = setting;
  const compared = input.metrics.map((metric) => {
    const prepared = prepare(metric, options.alpha);
    // In the order of the arms, with nothing for the control.
    const unjudged = arms.map(({ isControl }, arm) =>
      isControl || control < 0 ? null : compareArm(prepared, arm, setting),
    );
    return { prepared, unjudged };
  });
  const adjusted = adjustFamily(
    compared.flatMap(({ prepared: { metric }, unjudged }) =>
      metric.role === 'goal'
        ? unjudged.flatMap((comparison) => (comparison === null ? [] : comparison.measured.pValue))
        : [],
    ),
    options.method === 'sequential',
  );
  let next = 0;
  const metrics = compared.map(({ prepared, unjudged }) => {
    const { metric, data, samples } = prepared;
    const isGoal = metric.role === 'goal';
    const intervals = armIntervals(data, samples, setting);
    return {
      key: metric.key,
      role: metric.role,
      direction: metric.direction,
      arms: data.flatMap((arm, index) => {
        const [sample, interval] = [samples[index], intervals[index]];
        return sample && interval ? [armEstimate(arm, sample, interval)] : [];
      }),
      comparisons: unjudged.map(
        (comparison) =>
          comparison &&
          judge(comparison, metric, isGoal ? (adjusted[next++] ?? null) : null, setting),
      ),
    };
  });
  return { metrics, isFinal, informationFraction: finite(informationFraction) };
}
