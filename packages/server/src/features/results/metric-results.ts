import type { MetricResult, SeriesPoint, VersusControl } from '@assay/contract';
import type { Analysis, ArmEstimate, Comparison } from '@assay/core/analysis';
import { armOf, type Population } from './analysis-input.ts';
import { isTotal, type UsedMetric } from './use-metrics.ts';

/** A comparison in the words of the API. */
function toVersusControl(comparison: Comparison): VersusControl {
  const { guardrail, cuped, chanceToWin, expectedLoss } = comparison;
  return {
    difference: comparison.difference,
    standard_error: comparison.standardError,
    ci_lower: comparison.lower,
    ci_upper: comparison.upper,
    lift: comparison.lift,
    lift_ci_lower: comparison.liftLower,
    lift_ci_upper: comparison.liftUpper,
    p_value: comparison.pValue,
    p_value_adjusted: comparison.pValueAdjusted,
    significant: comparison.significant,
    better: comparison.isBetter,
    test: comparison.test,
    status: comparison.status,
    pending: comparison.pending,
    ...(chanceToWin === null ? {} : { chance_to_win: chanceToWin }),
    ...(expectedLoss === null ? {} : { expected_loss: expectedLoss }),
    ...(guardrail === null
      ? {}
      : {
          guardrail: {
            margin: guardrail.margin,
            p_value: guardrail.pValue,
            chance: guardrail.chance,
            verdict: guardrail.verdict,
          },
        }),
    ...(cuped === null
      ? {}
      : {
          cuped: {
            theta: cuped.theta,
            variance_reduction: cuped.varianceReduction,
            unadjusted_difference: cuped.unadjustedDifference,
            unadjusted_standard_error: cuped.unadjustedStandardError,
          },
        }),
    flags: [...comparison.flags],
  };
}

function toMetricResult(estimate: ArmEstimate, comparison: Comparison | null): MetricResult {
  const lift = comparison?.lift ?? null;
  return {
    value: estimate.value,
    sample_size: estimate.sampleSize,
    numerator: estimate.numerator,
    denominator: estimate.denominator,
    standard_error: estimate.standardError,
    ci_lower: estimate.lower,
    ci_upper: estimate.upper,
    lift_vs_control: lift === null ? null : lift * 100,
    vs_control: comparison === null ? null : toVersusControl(comparison),
  };
}

const NOTHING: ArmEstimate = {
  value: null,
  sampleSize: 0,
  numerator: null,
  denominator: null,
  standardError: null,
  lower: null,
  upper: null,
};

/** A number of events, users or their values: of interest by itself, and compared with nothing. */
function totalOf(population: Population, { metric }: UsedMetric, index: number): ArmEstimate {
  const variant = population.variants[index];
  if (variant === undefined) return NOTHING;
  const arm = armOf(population, variant);
  const data = population.arms.data(metric, arm);
  const value = data.kind === 'rate' ? data.x : data.kind === 'mean' ? data.total : null;
  return { ...NOTHING, value, sampleSize: population.arms.users(arm) };
}

/** The metrics that were asked for, of one variant. @param index of the variant */
export function metricResults(
  population: Population,
  analysis: Analysis,
  index: number,
): Record<string, MetricResult> {
  const variant = population.variants[index];
  const entries = population.uses
    .filter(({ isAsked }) => isAsked)
    .map((use): [string, MetricResult] => {
      const { metric } = use;
      if (isTotal(metric)) {
        return [metric.key, toMetricResult(totalOf(population, use, index), null)];
      }
      const analysed = analysis.metrics.find(({ key }) => key === metric.key);
      const result = toMetricResult(
        analysed?.arms[index] ?? NOTHING,
        analysed?.comparisons[index] ?? null,
      );
      if (metric.kind !== 'funnel' || variant === undefined) return [metric.key, result];
      const reached = population.arms.steps(metric, armOf(population, variant)) ?? [];
      const steps = metric.steps.map(({ types }, step) => ({
        event_type: types?.[0] ?? '',
        users: reached[step] ?? 0,
      }));
      return [metric.key, { ...result, steps }];
    });
  return Object.fromEntries(entries);
}

const NO_INTERVAL = { ci_lower: null, ci_upper: null };
const NO_INTERVAL_OF_LIFT = { lift_ci_lower: null, lift_ci_upper: null };

const withoutBand = (point: SeriesPoint): SeriesPoint => ({
  ...point,
  ...NO_INTERVAL,
  ...NO_INTERVAL_OF_LIFT,
  difference_ci_lower: null,
  difference_ci_upper: null,
});

function withoutInterval({ vs_control, series, ...result }: MetricResult): MetricResult {
  const courses = Object.entries(series ?? {}).map(([name, points]): [string, SeriesPoint[]] => [
    name,
    points.map(withoutBand),
  ]);
  return {
    ...result,
    ...NO_INTERVAL,
    vs_control: vs_control && { ...vs_control, ...NO_INTERVAL, ...NO_INTERVAL_OF_LIFT },
    ...(series === undefined ? {} : { series: Object.fromEntries(courses) }),
  };
}

/** The same without intervals, those of series neither, where nobody wants them. */
export const withoutIntervals = (
  results: Readonly<Record<string, MetricResult>>,
): Record<string, MetricResult> =>
  Object.fromEntries(
    Object.entries(results).map(([key, result]) => [key, withoutInterval(result)]),
  );
