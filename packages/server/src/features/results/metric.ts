import type { FilterScalar } from '@assay/contract';

/** A condition on one attribute: its JSON value is one of these. `null` is also "missing". */
export interface Filter {
  readonly name: string;
  readonly values: readonly FilterScalar[];
}

/**
 * What is taken of each user: from the events that count for them, filtered, and within the window
 * of hours after their assignment.
 */
export interface Measure {
  /** Undefined: events of all types. */
  readonly types: readonly string[] | undefined;
  /** Of properties. */
  readonly filters: readonly Filter[];
  /** `any` is 1 with at least one event; `valued` counts the events that have a value. */
  readonly aggregate: 'any' | 'count' | 'valued' | 'sum';
  /** What is summed: a property that is a JSON number, or null for the event's own value. */
  readonly property: string | null;
  /** From this many hours after the assignment on, up to and without that many; null: no limit. */
  readonly fromHours: number | null;
  readonly toHours: number | null;
}

/** The largest total of a user that is taken as it is; above it, it counts as this much. */
export type Cap =
  | { readonly kind: 'value'; readonly value: number }
  /** Of the totals of all users of all arms, 0 … 100. */
  | { readonly kind: 'percentile'; readonly percentile: number };

interface Common {
  /** Of the catalogue, or the name of a built-in. */
  readonly key: string;
  /** Of the definition; null for a built-in. */
  readonly version: number | null;
  readonly direction: 'increase' | 'decrease';
}

/** One number per user: a rate when it is 0 or 1, else a mean. */
export interface SimpleMetric extends Common {
  readonly kind: 'rate' | 'mean';
  readonly measure: Measure;
  readonly cap: Cap | null;
  /** Days before the assignment whose same measure is the covariate; null: none. */
  readonly cupedDays: number | null;
  /** Only the numerator is of interest, and nothing is compared: a total. */
  readonly isTotal: boolean;
}

/** Two numbers per user: the ratio of their sums. */
export interface RatioMetric extends Common {
  readonly kind: 'ratio';
  readonly numerator: Measure;
  readonly denominator: Measure;
  readonly cap: Cap | null;
  readonly cupedDays: number | null;
}

/** A quantile of the values of events. */
export interface QuantileMetric extends Common {
  readonly kind: 'quantile';
  /** With the aggregate `sum`: its values are those of the events. */
  readonly measure: Measure;
  /** 0 < p < 1. */
  readonly p: number;
}

/** A rate of users who did all steps, one after the other. */
export interface FunnelMetric extends Common {
  readonly kind: 'funnel';
  /** Of different types; each with the aggregate `any` and the window of the metric. */
  readonly steps: readonly Measure[];
}

/** A metric as the stores compute it; what the catalogue and the built-in names become. */
export type ResolvedMetric = SimpleMetric | RatioMetric | QuantileMetric | FunnelMetric;
