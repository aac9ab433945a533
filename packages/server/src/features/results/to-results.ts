import type { Results, ResultsQuery, SegmentResult, VariantResult } from '@assay/contract';
import {
  type Analysis,
  type AnalysisOptions,
  analyse,
  minimumDetectableEffect,
} from '@assay/core/analysis';
import type { ExperimentRecord, ExperimentVersion } from '../experiments/experiment.ts';
import { analysisInput, type Population } from './analysis-input.ts';
import { armsOf } from './arms.ts';
import type { Sourced } from './choose-source.ts';
import { blocksOf, healthOf, splitStatus, type Trouble } from './health/health.ts';
import { type MetricCourse, metricCourses } from './metric-courses.ts';
import { metricResults, withoutIntervals } from './metric-results.ts';
import type { Question } from './question.ts';
import { recommendationOf } from './recommendation.ts';
import type { Redefinition } from './redefinitions.ts';
import { segmentResults, segmentsOf } from './segments.ts';
import { type SilentBuckets, silentBucketsOf, timeSeries } from './time-series.ts';
import type { UsedMetric } from './use-metrics.ts';

/** Changes when the same bundle would give other numbers. */
export const ENGINE_VERSION = '0.6.0';

/** Everything that a result is a function of; as JSON it can be kept, and computed from again. */
export interface ResultsBundle {
  readonly experiment: ExperimentRecord;
  readonly versions: readonly ExperimentVersion[];
  readonly uses: readonly UsedMetric[];
  readonly query: Pick<ResultsQuery, 'granularity' | 'include_ci' | 'segment_by'>;
  readonly question: Question;
  /** What a store answered, and as of when. */
  readonly sourced: Sourced;
  readonly trouble: Trouble;
  /** Of goals and guardrails after they had become such, in the order of the metrics. */
  readonly redefinitions: readonly Redefinition[];
  readonly options: AnalysisOptions;
}

/** A result out of its bundle. Pure. @param queryMs how long the bundle took to gather */
export function toResults(bundle: ResultsBundle, queryMs: number): Results {
  const { experiment, uses, query, question, sourced, options } = bundle;
  const { answer } = sourced;
  const population: Population = { variants: experiment.variants, uses, arms: armsOf(answer) };
  const analysis = analyse(analysisInput(population, options));
  const { series, assigned } = answer;
  const silent = silentBucketsOf(question, series, assigned, experiment.variants.length);
  const variants = variantsOf(bundle, population, analysis, silent);
  return {
    experiment_id: experiment.id,
    experiment_key: experiment.key,
    summary: summaryOf(bundle, population, analysis),
    variants,
    ...(query.segment_by === undefined
      ? {}
      : {
          segments: {
            by: query.segment_by,
            exploratory: true,
            items: segmentsShown(bundle, population),
          },
        }),
    metadata: {
      ...metadataOf(bundle),
      time_series_filled: silent !== null,
      total_users: variants.reduce((sum, { assigned_users }) => sum + assigned_users, 0),
      method: options.method,
      information_fraction: analysis.informationFraction,
      engine_version: ENGINE_VERSION,
      query_ms: queryMs,
    },
  };
}

function summaryOf(
  bundle: ResultsBundle,
  population: Population,
  analysis: Analysis,
): Results['summary'] {
  const { experiment, options, question } = bundle;
  const health = healthOf(bundle, population, analysis);
  const { winner, recommendation, reasons } = recommendationOf(population, analysis, {
    question,
    options,
    srm: splitStatus(health.srm),
    blocks: blocksOf(health),
  });
  return {
    status: experiment.status,
    winning_variant: winner,
    // Out of the level again, without what binary fractions leave.
    confidence_level: Number((100 * (1 - options.alpha)).toFixed(6)),
    minimum_detectable_effect: minimumDetectableEffect(analysis),
    recommendation,
    reasons: [...reasons],
    health,
  };
}

function variantsOf(
  { experiment, uses, query, sourced: { answer }, options }: ResultsBundle,
  population: Population,
  analysis: Analysis,
  silent: SilentBuckets | null,
): VariantResult[] {
  const { alpha, minSample } = options;
  const courses = metricCourses(experiment.variants, uses, answer.metricSeries, options);
  return experiment.variants.map(({ id, key, name, isControl }, index) => {
    const users = population.arms.users({ variantId: id });
    const metrics = withCourses(metricResults(population, analysis, index), courses, index);
    const series = timeSeries(id, answer.series, answer.assigned, alpha, silent);
    return {
      id,
      key,
      name,
      is_control: isControl,
      assigned_users: users,
      sufficient: users >= minSample,
      metrics: query.include_ci ? metrics : withoutIntervals(metrics),
      time_series: series.map((bucket) =>
        query.include_ci ? bucket : { ...bucket, ci_lower: null, ci_upper: null },
      ),
    };
  });
}

function segmentsShown(
  { query, sourced: { answer }, options }: ResultsBundle,
  population: Population,
): SegmentResult[] {
  const items = segmentResults(population, segmentsOf(answer), options);
  if (query.include_ci) return [...items];
  return items.map(({ segment, variants }) => ({
    segment,
    variants: variants.map((variant) => ({
      ...variant,
      metrics: withoutIntervals(variant.metrics),
    })),
  }));
}

function withCourses(
  metrics: VariantResult['metrics'],
  courses: readonly MetricCourse[],
  index: number,
): VariantResult['metrics'] {
  return Object.fromEntries(
    Object.entries(metrics).map(([key, result]) => {
      const own = courses.filter(({ metric }) => metric === key);
      if (own.length === 0) return [key, result];
      const series = Object.fromEntries(
        own.map((course) => [course.series, [...(course.points[index] ?? [])]]),
      );
      return [key, { ...result, series }];
    }),
  );
}

function metadataOf({ question, query, sourced, uses }: ResultsBundle) {
  const { source, note, asOf, lagMs, answer } = sourced;
  return {
    start_date: question.start,
    end_date: question.end,
    granularity: query.granularity,
    source,
    ...(note === undefined ? {} : { source_note: note }),
    as_of: asOf,
    lag_ms: lagMs,
    metrics: uses.map(({ metric: { key, version, direction }, role }) => {
      const cap = answer.caps.find(({ metric }) => metric === key);
      return {
        key,
        version,
        role,
        direction,
        ...(cap === undefined
          ? {}
          : { cap: { numerator: cap.numerator, denominator: cap.denominator } }),
      };
    }),
  };
}
