import { parseInstant } from '@assay/core';
import { z } from 'zod';
import { decimalText, EventType, Key, Timestamp, text, wholeText } from './common.ts';
import { FILTERS_LENGTH_MAX, filtersOf } from './filters.ts';
import { ResultsHealth, Srm } from './health.ts';

/** Metrics that exist for any event type without being defined. */
export const BUILT_IN_METRICS = [
  'conversion_rate',
  'unique_users',
  'event_count',
  'events_per_user',
  'sum_value',
  'value_per_user',
  'avg_value',
  'median_value',
  'p95_value',
] as const;
/** Those of them that are counts and sums of a whole variant, compared with nothing. */
export const TOTAL_METRICS = [
  'unique_users',
  'event_count',
  'sum_value',
] as const satisfies readonly (typeof BUILT_IN_METRICS)[number][];
export const BuiltInMetric = z.enum(BUILT_IN_METRICS);
export type BuiltInMetric = z.infer<typeof BuiltInMetric>;

export const RESULT_SOURCES = ['auto', 'postgresql', 'clickhouse'] as const;
export const ANALYSIS_METHODS = ['fixed', 'sequential', 'bayesian'] as const;
export const GRANULARITIES = ['realtime', 'hour', 'day'] as const;
export type Granularity = (typeof GRANULARITIES)[number];

/** A query parameter that repeats or takes commas, as one list. */
const splitList = (value: unknown): readonly unknown[] =>
  [value].flat().flatMap((part) => (typeof part === 'string' ? part.split(',') : [part]));

export const isBuiltInMetric = (name: string): name is BuiltInMetric =>
  BUILT_IN_METRICS.some((metric) => metric === name);

/** Built-in names and keys of the catalogue. */
export const MetricNames = z.array(Key).min(1).max(20);

export const EventTypes = z.array(EventType).min(1).max(50);

const ResultsFilters = filtersOf('properties', 'context');

/** `{"properties.plan":"pro","context.country":["DE","AT"]}` as JSON text. */
const Filters = z
  .string()
  .max(FILTERS_LENGTH_MAX)
  .transform((value, context) => {
    try {
      return JSON.parse(value) as unknown;
    } catch {
      context.addIssue({ code: 'custom', message: 'must be JSON' });
      return z.NEVER;
    }
  })
  .pipe(ResultsFilters);

/** An attribute of the users' context, whose values split them into segments. */
export const SegmentBy = text(209).regex(/^context\..{1,200}$/su, {
  error: 'must be "context." and a name of 1 to 200 characters',
});

/**
 * How a metric goes with time: over all days up to each, within each day (UTC), or within each 24
 * hours after the assignment.
 */
export const METRIC_SERIES = ['cumulative', 'daily', 'days_since_assignment'] as const;
export const MetricSeriesNames = z.array(z.enum(METRIC_SERIES)).min(1);

export const MIN_SAMPLE = { min: 0, max: 1_000_000_000, usual: 100 } as const;
/** In percent. */
const CONFIDENCE_LEVEL = { min: 50, max: 99.99 } as const;
/** In percent, as JSON. */
export const ConfidenceLevel = z.number().min(CONFIDENCE_LEVEL.min).max(CONFIDENCE_LEVEL.max);

/** Refuses an end before the beginning. */
export const endsAfterItsStart = {
  check: (times: { start_date?: string | undefined; end_date?: string | undefined }) =>
    times.start_date === undefined ||
    times.end_date === undefined ||
    (parseInstant(times.start_date) ?? 0) <= (parseInstant(times.end_date) ?? 0),
  path: ['end_date'],
  error: 'must not be earlier than start_date',
};

const flag = z.enum(['true', 'false']).transform((value) => value === 'true');

export const ResultsQuery = z
  .strictObject({
    event_type: z.preprocess(splitList, EventTypes).optional(),
    metrics: z.preprocess(splitList, MetricNames).optional(),
    start_date: Timestamp.optional(),
    end_date: Timestamp.optional(),
    granularity: z.enum(GRANULARITIES).default('day'),
    include_ci: flag.default(true),
    min_sample: wholeText(MIN_SAMPLE).default(MIN_SAMPLE.usual),
    filters: Filters.optional(),
    segment_by: SegmentBy.optional(),
    series: z.preprocess(splitList, MetricSeriesNames).optional(),
    source: z.enum(RESULT_SOURCES).default('auto'),
    method: z.enum(ANALYSIS_METHODS).optional(),
    confidence_level: decimalText(CONFIDENCE_LEVEL).optional(),
    format: z.enum(['json', 'csv']).default('json'),
  })
  .refine(
    ({ format, segment_by, series }) =>
      format === 'json' || (segment_by === undefined && series === undefined),
    { error: 'csv has neither segments nor series; ask for json', path: ['format'] },
  )
  .refine(endsAfterItsStart.check, endsAfterItsStart);
export type ResultsQuery = z.infer<typeof ResultsQuery>;

const number = z.number().nullable();

/** An end of a variant's own interval. */
const ofOneVariant = number.describe(
  'Of the variant alone. Sequential: holds at all looks together, null before its release; else of one look',
);
/** The same at one point of a series. */
const ofOneVariantAt = number.describe(
  'Of the variant alone. Cumulative and sequential: holds at all points together, null before its release; else of one look',
);

export const VersusControl = z
  .object({
    difference: number,
    standard_error: number,
    ci_lower: number,
    ci_upper: number,
    lift: number,
    lift_ci_lower: number,
    lift_ci_upper: number,
    p_value: number,
    p_value_adjusted: number,
    significant: z.boolean(),
    /** In the metric's good direction; null without a significant difference. */
    better: z.boolean().nullable(),
    test: z.string().nullable(),
    status: z.string(),
    /** Why there is no verdict yet that more users or the planned end could give. */
    pending: z.enum(['not_released', 'before_planned_end', 'insufficient_users']).nullable(),
    /** Bayesian: that the treatment is better. */
    chance_to_win: z.number().optional(),
    /** Bayesian: of choosing the treatment, as a lift. */
    expected_loss: z.number().optional(),
    guardrail: z
      .object({
        margin: number,
        p_value: number,
        chance: number,
        verdict: z.enum(['passed', 'failed', 'undecided']),
      })
      .optional(),
    /** What the adjustment by what users did before their assignment changed. */
    cuped: z
      .object({
        theta: z.number(),
        variance_reduction: z.number(),
        unadjusted_difference: number,
        unadjusted_standard_error: number,
      })
      .optional(),
    /** Doubts about numbers that are given all the same. */
    flags: z.array(z.string()),
  })
  .meta({ id: 'VersusControl' });
export type VersusControl = z.infer<typeof VersusControl>;

/** A metric at one point of its series, and against the control at the same. */
export const SeriesPoint = z
  .object({
    /** The day's beginning; absent in `days_since_assignment`. */
    time: z.string().optional(),
    /** Full days since the assignment. */
    day: z.number().int().optional(),
    users: z.number().int(),
    value: number,
    ci_lower: ofOneVariantAt,
    ci_upper: ofOneVariantAt,
    difference: number,
    difference_ci_lower: number,
    difference_ci_upper: number,
    lift: number,
    lift_ci_lower: number,
    lift_ci_upper: number,
  })
  .meta({ id: 'SeriesPoint' });
export type SeriesPoint = z.infer<typeof SeriesPoint>;

export const MetricResult = z
  .object({
    value: number,
    sample_size: z.number().int(),
    numerator: number,
    denominator: number,
    standard_error: number.describe("By every method of the variant's own values"),
    ci_lower: ofOneVariant,
    ci_upper: ofOneVariant,
    lift_vs_control: number,
    vs_control: VersusControl.nullable(),
    /** Of a funnel: users who reached each step, in order. */
    steps: z.array(z.object({ event_type: z.string(), users: z.number().int() })).optional(),
    series: z
      .partialRecord(z.enum(METRIC_SERIES), z.array(SeriesPoint))
      .describe('Without the adjustment by a covariate')
      .optional(),
  })
  .meta({ id: 'MetricResult' });
export type MetricResult = z.infer<typeof MetricResult>;

export const TimeBucket = z
  .object({
    time: z.string(),
    event_type: z.string(),
    count: z.number().int(),
    users: z.number().int(),
    assigned_users: z.number().int(),
    ci_lower: number.describe('Of users over assigned users, at one look'),
    ci_upper: number.describe('Of users over assigned users, at one look'),
  })
  .meta({ id: 'TimeBucket' });
export type TimeBucket = z.infer<typeof TimeBucket>;

export const VariantResult = z
  .object({
    id: z.number().int(),
    key: z.string(),
    name: z.string(),
    is_control: z.boolean(),
    assigned_users: z.number().int(),
    sufficient: z.boolean(),
    metrics: z.record(z.string(), MetricResult),
    time_series: z
      .array(TimeBucket)
      .describe(
        "By time and type. From the variant's first assigned user on, buckets without events are zeros, unless metadata.time_series_filled is false",
      ),
  })
  .meta({ id: 'VariantResult' });
export type VariantResult = z.infer<typeof VariantResult>;

/** What a metric of a result was: its version in the catalogue, and what it was used for. */
export const MetricNote = z
  .object({
    key: z.string(),
    /** Null for a built-in. */
    version: z.number().int().nullable(),
    role: z.enum(['goal', 'secondary', 'guardrail']),
    direction: z.enum(['increase', 'decrease']),
    /** What totals of a user were cut to. */
    cap: z.object({ numerator: number, denominator: number }).optional(),
  })
  .meta({ id: 'MetricNote' });

/** The variants among the users of one segment. Exploratory: every segment is a further chance. */
export const SegmentResult = z
  .object({
    /** The attribute's value as text; null where it is missing. */
    segment: z.string().nullable(),
    variants: z.array(
      z.object({
        key: z.string(),
        assigned_users: z.number().int(),
        sufficient: z.boolean(),
        metrics: z.record(z.string(), MetricResult),
      }),
    ),
  })
  .meta({ id: 'SegmentResult' });
export type SegmentResult = z.infer<typeof SegmentResult>;

export const ResultsSummary = z
  .object({
    status: z.string(),
    winning_variant: z.string().nullable(),
    confidence_level: z.number(),
    minimum_detectable_effect: number,
    recommendation: z.enum(['ship', 'keep_running', 'discuss', 'roll_back', 'no_data']),
    reasons: z.array(z.string()),
    health: ResultsHealth,
  })
  .meta({ id: 'ResultsSummary' });
export type ResultsSummary = z.infer<typeof ResultsSummary>;

export const Results = z
  .object({
    experiment_id: z.number().int(),
    experiment_key: z.string(),
    summary: ResultsSummary,
    variants: z.array(VariantResult),
    segments: z
      .object({
        by: z.string(),
        /** Segments are looked at for ideas; p-values are adjusted over all of them. */
        exploratory: z.literal(true),
        items: z.array(SegmentResult),
      })
      .optional(),
    metadata: z.object({
      start_date: z.string(),
      end_date: z.string(),
      granularity: z.enum(GRANULARITIES),
      time_series_filled: z
        .boolean()
        .describe(
          'False: time_series leaves out buckets without events, since with them it would be too long; what is missing may be zero',
        ),
      total_users: z.number().int(),
      source: z.enum(['postgresql', 'clickhouse']),
      source_note: z.string().optional(),
      /** Null where nothing is known to have arrived yet. */
      as_of: z.string().nullable(),
      lag_ms: number,
      method: z.enum(ANALYSIS_METHODS),
      /** Users over the planned ones, above 1 beyond the plan; null without a plan. */
      information_fraction: number,
      metrics: z.array(MetricNote),
      engine_version: z.string(),
      query_ms: z.number(),
    }),
  })
  .meta({ id: 'Results' });
export type Results = z.infer<typeof Results>;

export const SrmQuery = z.strictObject({
  /** Attributes of the context; repeats. */
  segment_by: z
    .preprocess((value) => [value].flat(), z.array(SegmentBy).max(5))
    .refine((names) => new Set(names).size === names.length, { error: 'must not repeat a name' })
    .optional(),
  source: z.enum(RESULT_SOURCES).default('auto'),
});
export type SrmQuery = z.infer<typeof SrmQuery>;

/** The split of an experiment's users, and where it is off. */
export const SrmReport = z
  .object({
    experiment_id: z.number().int(),
    experiment_key: z.string(),
    /** Keys, in the order of all counts. */
    variants: z.array(z.string()),
    srm: Srm,
    metadata: z.object({
      source: z.enum(['postgresql', 'clickhouse']),
      source_note: z.string().optional(),
      as_of: z.string().nullable(),
      lag_ms: number,
    }),
  })
  .meta({ id: 'SrmReport' });
export type SrmReport = z.infer<typeof SrmReport>;
