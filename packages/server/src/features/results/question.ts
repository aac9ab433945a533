import type { Granularity } from '@assay/contract';
import type { ArmData } from '@assay/core/analysis';
import type { Filter, ResolvedMetric } from './metric.ts';

/** What a store is asked; both stores give the same answer. Times are RFC 3339 UTC text. */
export interface Question {
  readonly experimentId: number;
  /** With different keys. */
  readonly metrics: readonly ResolvedMetric[];
  /** Events from here on count; never before the retention floor. */
  readonly start: string;
  /** Users assigned up to here, and events up to here, count. */
  readonly end: string;
  /**
   * The end, or the moment of asking where that is earlier, or what ClickHouse has come up to: series
   * go on up to here whether or not anything happens, and nobody has lived beyond it.
   */
  readonly seriesEnd: string;
  /** Older events may be there or not: nothing looks at them, not even covariates. */
  readonly retentionFloor: string;
  /** Restrict users, and so the denominators. */
  readonly contextFilters: readonly Filter[];
  /** Restrict events only, those of every metric. */
  readonly propertyFilters: readonly Filter[];
  /** The attribute of the context whose value is a user's segment; null: no segments. */
  readonly segmentBy: string | null;
  /** Two-sided: between which order statistics quantiles lie. */
  readonly alpha: number;
  /** Of the time series of events; undefined: events of all types. */
  readonly eventTypes: readonly string[] | undefined;
  readonly series: { readonly bucket: Bucket; readonly start: string };
  readonly metricSeries: readonly MetricSeries[];
}

export type Bucket = 'minute' | 'hour' | 'day';

/**
 * How a metric goes with time: up to the end of each day, within each day (UTC), or within each 24
 * hours after the assignment.
 */
export type MetricSeries = 'cumulative' | 'daily' | 'days_since_assignment';

export const BUCKET_OF: Readonly<Record<Granularity, Bucket>> = {
  realtime: 'minute',
  hour: 'hour',
  day: 'day',
};

export const BUCKET_SECONDS: Readonly<Record<Bucket, number>> = {
  minute: 60,
  hour: 3_600,
  day: 86_400,
};

/**
 * The users of a variant, or those of them in one segment. Without `segment` it is the whole
 * variant; null are those whose attribute is missing, or neither text nor true nor false nor a
 * number of at most 15 digits before the point.
 */
export interface ArmOf {
  readonly variantId: number;
  readonly segment?: string | null;
}

export interface ArmUsers extends ArmOf {
  readonly users: number;
}

/** The sufficient statistics of one metric in one arm. */
export interface ArmStatistics extends ArmOf {
  readonly metric: string;
  readonly data: ArmData;
}

/** Users who reached each step of a funnel; those of the last are its successes. */
export interface ArmSteps extends ArmOf {
  readonly metric: string;
  readonly users: readonly number[];
}

/** What a metric's totals per user were cut to; null where they were not. */
export interface MetricCaps {
  readonly metric: string;
  readonly numerator: number | null;
  readonly denominator: number | null;
  /** Of the same before the assignment. */
  readonly numeratorBefore: number | null;
  readonly denominatorBefore: number | null;
}

/**
 * Users of a variant under one version of the experiment; without forced ones, whom no hash chose.
 * All of them, or those assigned on one day, or those from one source, or those of one segment.
 */
export interface VersionCount {
  readonly version: number;
  readonly variantId: number;
  readonly users: number;
  /** Seconds since the epoch of the day's beginning. */
  readonly day?: number;
  /** Assigned when they were asked for, or reported by a client that had decided itself. */
  readonly source?: 'hash' | 'reported';
  readonly segment?: string | null;
}

export interface SeriesRow {
  readonly variantId: number;
  /** Seconds since the epoch of the bucket's beginning. */
  readonly time: number;
  readonly eventType: string;
  readonly count: number;
  readonly users: number;
}

export interface AssignedRow {
  readonly variantId: number;
  readonly time: number;
  readonly users: number;
}

/** One metric of one variant at one point of its series; covariates are left out. */
export interface MetricSeriesRow {
  readonly series: MetricSeries;
  readonly metric: string;
  readonly variantId: number;
  /** Seconds since the epoch of the day's beginning; full days since the assignment, from 0 on. */
  readonly at: number;
  readonly data: ArmData;
}

/** What a store answers: sufficient statistics, from which everything else is computed. */
export interface Answer {
  /** Users of each arm that has any. */
  readonly users: readonly ArmUsers[];
  /** Of each metric in each of these arms. */
  readonly arms: readonly ArmStatistics[];
  /** Of each funnel in each of these arms. */
  readonly steps: readonly ArmSteps[];
  /** Of each metric that has a cap. */
  readonly caps: readonly MetricCaps[];
  readonly versions: readonly VersionCount[];
  readonly series: readonly SeriesRow[];
  /** New users per bucket, over all time up to the end; before the series begins per day. */
  readonly assigned: readonly AssignedRow[];
  readonly metricSeries: readonly MetricSeriesRow[];
}

/** A statement as a store ran it. */
export interface Statement {
  readonly sql: string;
  /** By position in PostgreSQL, by name in ClickHouse. */
  readonly parameters: readonly unknown[] | Readonly<Record<string, unknown>>;
}

/** Rows of a time series beyond which a request is refused. */
export const SERIES_ROWS_MAX = 50_000;

/** Buckets of all variants and types beyond which a time series leaves out those without events. */
export const SERIES_FILLED_MAX = 10_000;

/** Arms, each a variant in a segment, beyond which a request is refused. */
export const ARMS_MAX = 500;

/** Counts of users beyond which an attribute has too many values to split them by. */
export const COUNTS_MAX = 20_000;
