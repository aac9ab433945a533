import { BUILT_IN_METRICS, isBuiltInMetric } from '@assay/contract';
import { invalidFields } from '../../errors.ts';
import type { Db } from '../../platform/postgres.ts';
import type { MetricRecord, MetricVersionRecord } from './metric.ts';
import { findMetrics, findMetricsAt, holdMetrics, listVersionsOf } from './store.ts';

// What other features ask of the catalogue: it is apart from the service, which itself asks them.

/**
 * What names of metrics mean now.
 *
 * @returns `metrics`: those of the catalogue, by key; `unknown`: the names that are neither there
 *   nor built in, once each, in the order given
 */
export async function metricsNamed(
  db: Db,
  names: readonly string[],
): Promise<{
  readonly metrics: ReadonlyMap<string, MetricRecord>;
  readonly unknown: readonly string[];
}> {
  const keys = catalogueKeys(names);
  const found = keys.length === 0 ? [] : await findMetrics(db, keys);
  const metrics = new Map(found.map((metric) => [metric.key, metric]));
  return { metrics, unknown: keys.filter((key) => !metrics.has(key)) };
}

/** What names of the catalogue meant at a time, RFC 3339, by key; also those that were deleted since. */
export async function metricsNamedAt(
  db: Db,
  names: readonly string[],
  time: string,
): Promise<ReadonlyMap<string, MetricRecord>> {
  const keys = catalogueKeys(names);
  const found = keys.length === 0 ? [] : await findMetricsAt(db, keys, time);
  return new Map(found.map((metric) => [metric.key, metric]));
}

/** Versions of a metric that are looked at for changes of its meaning. */
const VERSIONS_MAX = 51;

/** What names of the catalogue have meant, oldest first; the last 51 versions of each. */
export async function versionsNamed(
  db: Db,
  names: readonly string[],
): Promise<readonly (MetricVersionRecord & { readonly key: string })[]> {
  const keys = catalogueKeys(names);
  return keys.length === 0 ? [] : listVersionsOf(db, keys, VERSIONS_MAX);
}

/**
 * Refuses metrics of an experiment that do not exist. Those that do stay until the transaction
 * ends, so that none is deleted while the experiment that uses it is not yet to be seen.
 *
 * @throws DomainError `invalid` with a path `metrics.<index>.metric` for each
 */
export async function requireMetrics(
  tx: Db,
  uses: readonly { readonly metric: string }[],
): Promise<void> {
  const keys = catalogueKeys(uses.map(({ metric }) => metric));
  if (keys.length === 0) return;
  const held = await holdMetrics(tx, keys);
  const errors = uses.flatMap(({ metric }, index) =>
    isBuiltInMetric(metric) || held.includes(metric)
      ? []
      : [{ path: `metrics.${index}.metric`, message: unknownMetric(metric) }],
  );
  if (errors.length > 0) throw invalidFields(errors);
}

const catalogueKeys = (names: readonly string[]): readonly string[] => [
  ...new Set(names.filter((name) => !isBuiltInMetric(name))),
];

const unknownMetric = (name: string): string =>
  `"${name}" is not a metric; define it with POST /v1/metrics, or use one of ${BUILT_IN_METRICS.join(', ')}`;
