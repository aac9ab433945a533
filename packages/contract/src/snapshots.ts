import { z } from 'zod';
import { page, Timestamp, text } from './common.ts';
import { shortFiltersOf } from './filters.ts';
import {
  ANALYSIS_METHODS,
  ConfidenceLevel,
  EventTypes,
  endsAfterItsStart,
  GRANULARITIES,
  MetricNames,
  MetricSeriesNames,
  MIN_SAMPLE,
  RESULT_SOURCES,
  SegmentBy,
} from './results.ts';

/** A name alone is a list of one. */
const listed = <List extends z.ZodType>(list: List) =>
  z.preprocess((value) => (typeof value === 'string' ? [value] : value), list);

/** What the results to be stored are asked for: the parameters of results, as JSON. */
export const SnapshotCreate = z
  .strictObject({
    name: text(200).min(1, 'must not be empty'),
    event_type: listed(EventTypes).optional(),
    metrics: listed(MetricNames).optional(),
    start_date: Timestamp.optional(),
    end_date: Timestamp.optional(),
    granularity: z.enum(GRANULARITIES).default('day'),
    include_ci: z.boolean().default(true),
    min_sample: z.int().min(MIN_SAMPLE.min).max(MIN_SAMPLE.max).default(MIN_SAMPLE.usual),
    filters: shortFiltersOf('properties', 'context').optional(),
    segment_by: SegmentBy.optional(),
    series: listed(MetricSeriesNames).optional(),
    source: z.enum(RESULT_SOURCES).default('auto'),
    method: z.enum(ANALYSIS_METHODS).optional(),
    confidence_level: ConfidenceLevel.optional(),
  })
  .refine(endsAfterItsStart.check, endsAfterItsStart)
  .meta({ id: 'SnapshotCreate' });
export type SnapshotCreate = z.infer<typeof SnapshotCreate>;

/** A stored result without what it says. */
export const SnapshotSummary = z
  .object({
    id: z.number().int(),
    experiment_id: z.number().int(),
    name: z.string(),
    created_at: z.string(),
    created_by: z.string(),
    engine_version: z.string(),
    source: z.enum(['postgresql', 'clickhouse']),
    /** Whose state was read; null when ClickHouse had not said yet how far it was. */
    as_of: z.string().nullable(),
    /** In hex, of the JSON texts of the result and of all that it was computed from. */
    sha256: z.object({ bundle: z.string(), result: z.string() }),
  })
  .meta({ id: 'SnapshotSummary' });
export type SnapshotSummary = z.infer<typeof SnapshotSummary>;

// Any object: what was stored is answered as it is, also after its shape has changed.
const StoredJson = z.record(z.string(), z.unknown());

export const Snapshot = SnapshotSummary.extend({
  result: StoredJson.meta({ description: 'As `Results` of its engine version, byte for byte' }),
  bundle: StoredJson.optional().meta({
    description:
      'With `include=bundle`: the experiment and its versions, definitions of metrics, question, SQL with its parameters, and sufficient statistics',
  }),
}).meta({ id: 'Snapshot' });
export type Snapshot = z.infer<typeof Snapshot>;

export const SnapshotList = page(SnapshotSummary).meta({ id: 'SnapshotList' });
export const SnapshotQuery = z.strictObject({ include: z.enum(['bundle']).optional() });

/** Out of what a result is computed anew: what was stored, or what the store answers now. */
export const REPRODUCE_FROM = ['bundle', 'store'] as const;
export const ReproduceQuery = z.strictObject({ from: z.enum(REPRODUCE_FROM).default('bundle') });
export type ReproduceQuery = z.infer<typeof ReproduceQuery>;

/** Where two JSON values differ; the side that has nothing there is absent. */
export const JsonDifference = z
  .object({
    /** As in `result.variants[1].metrics.conversion_rate.value`. */
    path: z.string(),
    stored: z.unknown().optional(),
    recomputed: z.unknown().optional(),
  })
  .meta({ id: 'JsonDifference' });
export type JsonDifference = z.infer<typeof JsonDifference>;

const thenAndNow = <Value extends z.ZodType>(value: Value) =>
  z.object({ stored: value, recomputed: value });

export const Reproduction = z
  .object({
    snapshot_id: z.number().int(),
    from: z.enum(REPRODUCE_FROM),
    /** From the bundle: the same bytes. From the store: the same numbers, but for last digits. */
    equal: z.boolean(),
    /** The stored texts still have their SHA-256. */
    intact: z.boolean(),
    engine_version: thenAndNow(z.string()),
    as_of: thenAndNow(z.string().nullable()),
    difference_count: z.number().int(),
    /** The first of them; those of sufficient statistics come before those of the result. */
    differences: z.array(JsonDifference),
    /** What is to be known about the comparison, in words. */
    notes: z.array(z.string()),
  })
  .meta({ id: 'Reproduction' });
export type Reproduction = z.infer<typeof Reproduction>;
