import type { FilterScalar, Granularity } from '@assay/contract';

/** A condition on one attribute: its JSON value is one of these. `null` is also "missing". */
export interface Filter {
  readonly name: string;
  readonly values: readonly FilterScalar[];
}

/** What a store is asked; both stores give the same answer. Times are RFC 3339 UTC text. */
export interface Question {
  readonly experimentId: number;
  /** Undefined: events of all types. */
  readonly eventTypes: readonly string[] | undefined;
  /** Events from here on count; never before the retention floor. */
  readonly start: string;
  /** Users assigned up to here, and events up to here, count. */
  readonly end: string;
  /** Restrict users, and so the denominators. */
  readonly contextFilters: readonly Filter[];
  /** Restrict events only. */
  readonly propertyFilters: readonly Filter[];
  readonly needsQuantiles: boolean;
  readonly series: { readonly bucket: Bucket; readonly start: string };
}

export type Bucket = 'minute' | 'hour' | 'day';

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
 * Sums over the assigned users of a variant, users without events included. `events`, `valued` and
 * `total` are a user's events, events with a value, and sum of values. Sums of deviations are about
 * the constants of {@link Answer.shift}.
 */
export interface VariantSums {
  readonly variantId: number;
  readonly users: number;
  /** Users with at least one event. */
  readonly converters: number;
  readonly events: number;
  readonly valued: number;
  readonly total: number;
  readonly eventsDeviation: number;
  readonly eventsSquares: number;
  readonly totalDeviation: number;
  readonly totalSquares: number;
  readonly valuedDeviation: number;
  readonly valuedSquares: number;
  /** Sums of `total − ratio × valued`: small where values are far from zero but alike. */
  readonly residual: number;
  readonly residualSquares: number;
  /** Of the residual times the deviation of `valued`. */
  readonly residualProduct: number;
}

/** The constants that deviations are about: means over all users, and the pooled ratio. */
export interface Shift {
  readonly events: number;
  readonly total: number;
  readonly valued: number;
  /** Pooled sum of values over events with one: the variance of an average is about it. */
  readonly ratio: number;
}

export interface VariantQuantiles {
  readonly variantId: number;
  readonly median: number | null;
  readonly p95: number | null;
}

/** Users of a variant under one version of the experiment; forced ones, whom no hash chose, apart. */
export interface VersionCount {
  readonly version: number;
  readonly variantId: number;
  readonly users: number;
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

/** What a store answers: sufficient statistics, from which everything else is computed. */
export interface Answer {
  readonly sums: readonly VariantSums[];
  readonly shift: Shift;
  readonly quantiles: readonly VariantQuantiles[];
  readonly versions: readonly VersionCount[];
  readonly series: readonly SeriesRow[];
  /** New users per bucket, over all time up to the end. */
  readonly assigned: readonly AssignedRow[];
}

/** Rows of a time series beyond which a request is refused. */
export const SERIES_ROWS_MAX = 50_000;
