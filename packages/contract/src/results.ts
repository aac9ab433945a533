import { parseInstant } from '@assay/core';
import { z } from 'zod';
import { EventType, Timestamp } from './common.ts';
import { FILTERS_LENGTH_MAX, filtersOf } from './filters.ts';

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

/** Names of metrics; one that does not exist is an error of the whole parameter, not of an index. */
const MetricNames = z.preprocess(
  splitList,
  z
    .array(z.string().meta({ enum: [...BUILT_IN_METRICS] }))
    .min(1)
    .max(20)
    .superRefine((names, context) => {
      for (const name of names.filter((candidate) => !isBuiltInMetric(candidate))) {
        const message = `"${name.slice(0, 100)}" is not a metric; known are ${BUILT_IN_METRICS.join(', ')}`;
        context.addIssue({ code: 'custom', message });
      }
    })
    .pipe(z.array(BuiltInMetric)),
);

const EventTypes = z.preprocess(splitList, z.array(EventType).min(1).max(50));

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
  .pipe(filtersOf('properties', 'context'));

const flag = z.enum(['true', 'false']).transform((value) => value === 'true');

export const ResultsQuery = z
  .strictObject({
    event_type: EventTypes.optional(),
    metrics: MetricNames.optional(),
    start_date: Timestamp.optional(),
    end_date: Timestamp.optional(),
    granularity: z.enum(GRANULARITIES).default('day'),
    include_ci: flag.default(true),
    min_sample: z.coerce.number().int().min(0).max(1_000_000_000).default(100),
    filters: Filters.optional(),
    segment_by: z.never({ error: 'is not available yet' }).optional(),
    source: z.enum(RESULT_SOURCES).default('auto'),
    method: z.enum(ANALYSIS_METHODS).optional(),
    confidence_level: z.coerce.number().min(50).max(99.99).optional(),
    format: z.enum(['json', 'csv']).default('json'),
  })
  .refine(
    ({ start_date, end_date }) =>
      start_date === undefined ||
      end_date === undefined ||
      (parseInstant(start_date) ?? 0) <= (parseInstant(end_date) ?? 0),
    { error: 'must not be earlier than start_date', path: ['end_date'] },
  );
export type ResultsQuery = z.infer<typeof ResultsQuery>;

const number = z.number().nullable();

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
    test: z.string().nullable(),
    status: z.string(),
  })
  .meta({ id: 'VersusControl' });
export type VersusControl = z.infer<typeof VersusControl>;

export const MetricResult = z
  .object({
    value: number,
    sample_size: z.number().int(),
    numerator: number,
    denominator: number,
    standard_error: number,
    ci_lower: number,
    ci_upper: number,
    lift_vs_control: number,
    vs_control: VersusControl.nullable(),
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
    ci_lower: number,
    ci_upper: number,
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
    time_series: z.array(TimeBucket),
  })
  .meta({ id: 'VariantResult' });
export type VariantResult = z.infer<typeof VariantResult>;

export const ResultsSummary = z
  .object({
    status: z.string(),
    winning_variant: z.string().nullable(),
    confidence_level: z.number(),
    minimum_detectable_effect: number,
    recommendation: z.enum(['ship', 'keep_running', 'discuss', 'roll_back', 'no_data']),
    reasons: z.array(z.string()),
    health: z.object({
      srm: z.object({
        status: z.enum(['ok', 'warning', 'alarm', 'not_enough_data']),
        p_value: number,
        observed: z.array(z.number()),
        expected: z.array(z.number()),
      }),
      conflicts: z.number().int(),
      quarantined_events: z.number().int(),
      lag_ms: number,
    }),
  })
  .meta({ id: 'ResultsSummary' });
export type ResultsSummary = z.infer<typeof ResultsSummary>;

export const Results = z
  .object({
    experiment_id: z.number().int(),
    experiment_key: z.string(),
    summary: ResultsSummary,
    variants: z.array(VariantResult),
    metadata: z.object({
      start_date: z.string(),
      end_date: z.string(),
      granularity: z.enum(GRANULARITIES),
      total_users: z.number().int(),
      source: z.enum(['postgresql', 'clickhouse']),
      source_note: z.string().optional(),
      as_of: z.string(),
      lag_ms: number,
      method: z.enum(ANALYSIS_METHODS),
      engine_version: z.string(),
      query_ms: z.number(),
    }),
  })
  .meta({ id: 'Results' });
export type Results = z.infer<typeof Results>;
