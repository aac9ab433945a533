import { isDeepStrictEqual } from 'node:util';
import {
  isBuiltInMetric,
  type Metric,
  type MetricCreate,
  MetricDefinition,
  type MetricPatch,
  type MetricVersion,
} from '@assay/contract';
import type { Deps } from '../../deps.ts';
import { DomainError, invalidFields } from '../../errors.ts';
import { parseCursor, toPage } from '../../paging.ts';
import { type Db, inTransaction } from '../../platform/postgres.ts';
import { type ExpectedVersions, requireVersion } from '../../versions.ts';
import { type Actor, recordAudit } from '../audit/service.ts';
import { experimentsUsing } from '../experiments/service-uses.ts';
import { type MetricRecord, toMetric } from './metric.ts';
import {
  deleteMetric,
  findMetric,
  insertMetric,
  listMetrics,
  listMetricVersions,
  lockMetric,
  updateMetric,
} from './store.ts';

export type MetricDeps = Pick<Deps, 'db'>;

/** Experiments that the refusal of a deletion names. */
const USES_NAMED_MAX = 20;

/** @throws DomainError `metric_not_found` */
export async function getMetric({ db }: MetricDeps, ref: string): Promise<Metric> {
  const found = await findMetric(db, ref);
  if (found === undefined) throw notFound(ref);
  return toMetric(found);
}

/** Metrics from the newest on; `query` is a part of their keys or names. */
export async function pageOfMetrics(
  { db }: MetricDeps,
  query: {
    readonly limit: number;
    readonly cursor?: string | undefined;
    readonly query?: string | undefined;
  },
): Promise<{ items: Metric[]; next_cursor: string | null }> {
  const records = await listMetrics(db, {
    query: query.query ?? null,
    before: parseCursor(query.cursor),
    limit: query.limit + 1,
  });
  const { items, next_cursor } = toPage(records, query.limit);
  return { items: items.map(toMetric), next_cursor };
}

/**
 * Every version that a metric has had, from the newest on; those of a deleted metric too, since
 * stored results refer to them.
 *
 * @throws DomainError `metric_not_found`
 */
export async function pageOfVersions(
  { db }: MetricDeps,
  ref: string,
  limit: number,
  cursor: string | undefined,
): Promise<{ items: MetricVersion[]; next_cursor: string | null }> {
  const metric = await findMetric(db, ref, 'deleted_too');
  if (metric === undefined) throw notFound(ref);
  const versions = await listMetricVersions(db, metric.id, limit + 1, parseCursor(cursor));
  const { items, next_cursor } = toPage(
    versions.map((record) => ({ id: record.version, record })),
    limit,
  );
  return {
    items: items.map(({ record: { version, definition, createdAt } }) => ({
      version,
      ...definition,
      created_at: createdAt,
    })),
    next_cursor,
  };
}

/** @throws DomainError `key_taken`, also for the name of a built-in metric */
export async function createMetric(
  { db }: MetricDeps,
  actor: Actor,
  request: MetricCreate,
): Promise<Metric> {
  const { key } = request;
  if (isBuiltInMetric(key)) throw keyTaken(key, 'is built in');
  return inTransaction(db, async (tx) => {
    const created = await insertMetric(tx, { ...request, name: request.name ?? key });
    if (created === undefined) throw keyTaken(key, 'is in use');
    const metric = toMetric(created);
    await audit(tx, actor, metric.id, 'metric.created', null, metric);
    return metric;
  });
}

/**
 * Changes a metric: from now on it means the new definition, also for the past, while results that
 * were stored keep the version that made them. What changes nothing makes no version.
 *
 * @throws DomainError `metric_not_found`, `version_mismatch`, or `invalid` when the changed
 *   definition is none that could be created
 */
export async function editMetric(
  { db }: MetricDeps,
  actor: Actor,
  ref: string,
  patch: MetricPatch,
  expected: ExpectedVersions,
): Promise<Metric> {
  return inTransaction(db, async (tx) => {
    const record = await lock(tx, ref, expected);
    const before = toMetric(record);
    const definition = withPatch(record.definition, patch);
    if (isDeepStrictEqual(definition, record.definition)) return before;
    const after = toMetric(await updateMetric(tx, record.id, definition));
    await audit(tx, actor, record.id, 'metric.updated', before, after);
    return after;
  });
}

/**
 * Takes a metric out of the catalogue; its versions stay, and its key may be used again.
 *
 * @throws DomainError `metric_not_found`, `version_mismatch`, or `metric_in_use` naming the
 *   experiments that are not archived and use it
 */
export async function removeMetric(
  { db }: MetricDeps,
  actor: Actor,
  ref: string,
  expected: ExpectedVersions,
): Promise<void> {
  await inTransaction(db, async (tx) => {
    const record = await lock(tx, ref, expected);
    // After the lock: an experiment that took the metric before it is committed by now.
    const uses = await experimentsUsing(tx, record.key);
    if (uses.length > 0) {
      const more = uses.length > USES_NAMED_MAX ? ` and ${uses.length - USES_NAMED_MAX} more` : '';
      const named = uses.slice(0, USES_NAMED_MAX).join(', ') + more;
      throw new DomainError('metric_in_use', `"${record.key}" is used by ${named}`);
    }
    await deleteMetric(tx, record.id);
    await audit(tx, actor, record.id, 'metric.deleted', toMetric(record), null);
  });
}

/** The definition with a change in place, checked as a new one would be. */
function withPatch(definition: MetricDefinition, patch: MetricPatch): MetricDefinition {
  const given = Object.entries({ ...definition, ...patch }).filter(([, value]) => value !== null);
  const { success, data, error } = MetricDefinition.safeParse(Object.fromEntries(given));
  if (success) return data;
  throw invalidFields(error.issues.map(({ path, message }) => ({ path: path.join('.'), message })));
}

async function lock(tx: Db, ref: string, expected: ExpectedVersions): Promise<MetricRecord> {
  const record = await lockMetric(tx, ref);
  if (record === undefined) throw notFound(ref);
  requireVersion(record, expected);
  return record;
}

function audit(
  tx: Db,
  actor: Actor,
  id: number,
  action: string,
  before: Metric | null,
  after: Metric | null,
): Promise<void> {
  const resource = { resourceType: 'metric', resourceId: String(id) };
  return recordAudit(tx, actor, { ...resource, action, before, after });
}

const notFound = (ref: string): DomainError =>
  new DomainError('metric_not_found', `There is no metric "${ref}"`);

const keyTaken = (key: string, message: string): DomainError =>
  new DomainError('key_taken', `The key "${key}" ${message}`, {
    errors: [{ path: 'key', message }],
  });
