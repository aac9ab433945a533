import type { SeriesPoint } from '@assay/contract';
import { type AnalysisOptions, analyse, usersOf } from '@assay/core/analysis';
import type { ExperimentRecord } from '../experiments/experiment.ts';
import { groupedBy } from './grouped-by.ts';
import type { MetricSeries, MetricSeriesRow } from './question.ts';
import type { UsedMetric } from './use-metrics.ts';

/** How one metric of each variant goes with time; the variants in their order. */
export interface MetricCourse {
  readonly series: MetricSeries;
  readonly metric: string;
  readonly points: readonly (readonly SeriesPoint[])[];
}

/** The same at a look that was not the last: it may not spend what was left for the end of the plan. */
const onTheWay = (options: AnalysisOptions): AnalysisOptions => ({
  ...options,
  endedAsPlanned: false,
});

/**
 * Every point analysed by itself: cumulative ones by the method of the experiment, so that sequential
 * bands, of a difference and of one variant alone, hold at all points together; days by themselves,
 * which are looked at for patterns, at a fixed horizon.
 */
export function metricCourses(
  variants: ExperimentRecord['variants'],
  uses: readonly UsedMetric[],
  rows: readonly MetricSeriesRow[],
  options: AnalysisOptions,
): readonly MetricCourse[] {
  const courses = groupedBy(rows, ({ series, metric }) => `${series} ${metric}`);
  return [...courses.values()].flatMap((course) => {
    const [first] = course;
    const use = uses.find(({ metric }) => metric.key === first?.metric);
    if (first === undefined || use === undefined) return [];
    const { series } = first;
    const chosen: AnalysisOptions =
      series === 'cumulative' ? options : { ...options, method: 'fixed', plannedUsers: null };
    const moments = groupedBy(course, ({ at }) => at);
    const points = [...moments]
      .sort(([a], [b]) => a - b)
      .map(([at, point], index) => {
        const isLast = index === moments.size - 1;
        return pointsAt(variants, use, point, at, isLast ? chosen : onTheWay(chosen));
      });
    return [
      {
        series,
        metric: first.metric,
        points: variants.map((_, index) => points.flatMap((point) => point[index] ?? [])),
      },
    ];
  });
}

/** One point of every variant that has one there. */
function pointsAt(
  variants: ExperimentRecord['variants'],
  { metric, role, margin }: UsedMetric,
  rows: readonly MetricSeriesRow[],
  at: number,
  options: AnalysisOptions,
): readonly (SeriesPoint | undefined)[] {
  const present = variants.flatMap((variant) => {
    const data = rows.find(({ variantId }) => variantId === variant.id)?.data;
    return data === undefined ? [] : [{ variant, data, users: usersOf(data) }];
  });
  const { direction } = metric;
  const { metrics } = analyse({
    arms: present.map(({ variant, users }) => ({ ...variant, users })),
    metrics: [{ key: metric.key, role, margin, direction, data: present.map(({ data }) => data) }],
    options,
  });
  const [analysed] = metrics;
  const series = rows[0]?.series;
  const when =
    series === 'days_since_assignment' ? { day: at } : { time: new Date(at * 1000).toISOString() };
  return variants.map((variant) => {
    const index = present.findIndex((arm) => arm.variant === variant);
    const estimate = analysed?.arms[index];
    const comparison = analysed?.comparisons[index];
    if (estimate === undefined) return undefined;
    return {
      ...when,
      users: present[index]?.users ?? 0,
      value: estimate.value,
      ci_lower: estimate.lower,
      ci_upper: estimate.upper,
      difference: comparison?.difference ?? null,
      difference_ci_lower: comparison?.lower ?? null,
      difference_ci_upper: comparison?.upper ?? null,
      lift: comparison?.lift ?? null,
      lift_ci_lower: comparison?.liftLower ?? null,
      lift_ci_upper: comparison?.liftUpper ?? null,
    };
  });
}
