import { createHash } from 'node:crypto';
import type { Snapshot, SnapshotCreate, SnapshotSummary } from '@assay/contract';
import { DomainError } from '../../errors.ts';
import { parseCursor, toPage } from '../../paging.ts';
import { type Db, inTransaction } from '../../platform/postgres.ts';
import type { Actor } from '../audit/service.ts';
import { auditExperiment, lockExperiment, requireExperiment } from '../experiments/service.ts';
import { gatherBundle, type ResultsDeps } from '../results/service.ts';
import { ENGINE_VERSION } from '../results/to-results.ts';
import { BUNDLE_FORMAT, toTexts } from './bundle.ts';
import {
  countSnapshots,
  deleteSnapshot,
  findSnapshot,
  insertSnapshot,
  listSnapshots,
  type SnapshotTexts,
} from './store.ts';

export type SnapshotDeps = ResultsDeps;

const SNAPSHOTS_MAX = 1_000;

/**
 * Computes the results of an experiment, and stores them with everything that made them.
 *
 * @throws DomainError `too_many_snapshots`; `invalid` naming the parameter to narrow when it would be
 *   too large; what results throw
 */
export async function takeSnapshot(
  deps: SnapshotDeps,
  actor: Actor,
  ref: string,
  { name, ...asked }: SnapshotCreate,
): Promise<Snapshot> {
  const startedAt = performance.now();
  const gathered = await gatherBundle(deps, ref, { ...asked, format: 'json' });
  const queryMs = Math.round(performance.now() - startedAt);
  const texts = toTexts({
    format: BUNDLE_FORMAT,
    engineVersion: ENGINE_VERSION,
    ...gathered,
    queryMs,
  });
  const summary = await inTransaction(deps.db, async (tx) => {
    // Held, so that two at a time cannot both be the last that fits.
    const { id, key } = await lockExperiment(tx, String(gathered.experiment.id), undefined);
    if ((await countSnapshots(tx, id)) >= SNAPSHOTS_MAX) {
      const detail = `"${key}" has ${SNAPSHOTS_MAX} snapshots; delete one that nobody needs`;
      throw new DomainError('too_many_snapshots', detail);
    }
    const stored = await insertSnapshot(tx, {
      experiment_id: id,
      name,
      created_by: actor.name,
      engine_version: ENGINE_VERSION,
      source: gathered.sourced.source,
      as_of: gathered.sourced.asOf,
      ...texts,
      sha256: hashesOf(texts),
    });
    await auditExperiment(tx, actor, id, 'snapshot.created', null, stored);
    return stored;
  });
  return { ...summary, result: JSON.parse(texts.result) };
}

/** Snapshots of an experiment from the newest on. @throws DomainError `experiment_not_found` */
export async function pageOfSnapshots(
  { db }: Pick<SnapshotDeps, 'db'>,
  ref: string,
  limit: number,
  cursor: string | undefined,
): Promise<{ items: SnapshotSummary[]; next_cursor: string | null }> {
  const { id } = await requireExperiment(db, ref);
  return toPage(await listSnapshots(db, id, limit + 1, parseCursor(cursor)), limit);
}

/**
 * @param include also what the result was computed from
 * @throws DomainError `experiment_not_found`, `snapshot_not_found`
 */
export async function getSnapshot(
  { db }: Pick<SnapshotDeps, 'db'>,
  ref: string,
  id: number,
  include: 'bundle' | undefined,
): Promise<Snapshot> {
  const { bundle, result, ...summary } = await requireSnapshot(db, ref, id);
  return {
    ...summary,
    result: JSON.parse(result),
    ...(include === undefined ? {} : { bundle: JSON.parse(bundle) }),
  };
}

/** @throws DomainError `experiment_not_found`, `snapshot_not_found` */
export async function removeSnapshot(
  { db }: Pick<SnapshotDeps, 'db'>,
  actor: Actor,
  ref: string,
  id: number,
): Promise<void> {
  await inTransaction(db, async (tx) => {
    const experiment = await requireExperiment(tx, ref);
    const deleted = await deleteSnapshot(tx, experiment.id, id);
    if (deleted === undefined) throw notFound(experiment.key, id);
    await auditExperiment(tx, actor, experiment.id, 'snapshot.deleted', deleted, null);
  });
}

/** What the texts of a snapshot are told by. */
export function hashesOf({ bundle, result }: SnapshotTexts): SnapshotSummary['sha256'] {
  const hash = (text: string): string => createHash('sha256').update(text).digest('hex');
  return { bundle: hash(bundle), result: hash(result) };
}

/**
 * A snapshot with its texts.
 *
 * @throws DomainError `experiment_not_found`, `snapshot_not_found`
 */
export async function requireSnapshot(
  db: Db,
  ref: string,
  id: number,
): Promise<SnapshotSummary & SnapshotTexts> {
  const experiment = await requireExperiment(db, ref);
  const found = await findSnapshot(db, experiment.id, id);
  if (found === undefined) throw notFound(experiment.key, id);
  return found;
}

const notFound = (experiment: string, id: number): DomainError =>
  new DomainError('snapshot_not_found', `"${experiment}" has no snapshot ${id}`);
