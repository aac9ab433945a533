import type { Metric, MetricDefinition } from '@assay/contract';

/** A metric of the catalogue as stored; times RFC 3339 UTC text. */
export interface MetricRecord {
  readonly id: number;
  readonly key: string;
  readonly version: number;
  readonly definition: MetricDefinition;
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** A version of a metric as stored. */
export interface MetricVersionRecord {
  readonly version: number;
  readonly definition: MetricDefinition;
  readonly createdAt: string;
}

/** A metric as it is answered. */
export function toMetric({ id, version, definition, ...times }: MetricRecord): Metric {
  return {
    id,
    version,
    ...definition,
    created_at: times.createdAt,
    updated_at: times.updatedAt,
  };
}
