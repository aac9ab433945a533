import { randomBytes } from 'node:crypto';
import type { Experiment, ExperimentCreate, ExperimentPatch } from '@assay/contract';
import {
  allowedActions,
  type ExperimentStatus,
  type LifecycleAction,
  TRANSITIONS,
} from '@assay/core';
import type { Deps } from '../../deps.ts';
import { DomainError, must } from '../../errors.ts';
import { parseCursor, toPage } from '../../paging.ts';
import { type Db, inTransaction } from '../../platform/postgres.ts';
import { type Actor, pageOfAudit, recordAudit } from '../audit/service.ts';
import type { LiveSnapshot } from '../snapshot/snapshot.ts';
import type { ExperimentRecord } from './experiment.ts';
import {
  immutableFields,
  toExperiment,
  toNewExperiment,
  toVariants,
  withPatch,
} from './mapping.ts';
import {
  deleteExperiment,
  deleteOverride,
  findExperiment,
  insertExperiment,
  insertVersion,
  listExperiments,
  listVersions as listStoredVersions,
  replaceVariants,
  updateExperiment,
  updateVariants,
  upsertOverride,
} from './store.ts';

export interface ExperimentDeps extends Pick<Deps, 'db' | 'now'> {
  /** Read anew after a change, so that the changing process sees its own writes. */
  readonly snapshot: Pick<LiveSnapshot, 'refresh'>;
}

/** The version that a change must find, as `If-Match` says it; undefined: any. */
export type ExpectedVersion = number | undefined;

/** What a user can ask for; a start becomes `schedule` when its time has not come. */
export type RequestedAction = Exclude<LifecycleAction, 'schedule'>;

/** @throws DomainError `experiment_not_found` */
export async function requireExperiment(db: Db, ref: string): Promise<ExperimentRecord> {
  const found = await findExperiment(db, ref);
  if (found === undefined) throw notFound(ref);
  return found;
}

/** Every version since the first start, in order. */
export const listVersions = listStoredVersions;

export async function getExperiment({ db }: Pick<Deps, 'db'>, ref: string): Promise<Experiment> {
  return toExperiment(await requireExperiment(db, ref));
}

export async function pageOfExperiments(
  { db }: Pick<Deps, 'db'>,
  query: {
    readonly limit: number;
    readonly cursor?: string | undefined;
    readonly status?: ExperimentStatus | undefined;
    readonly query?: string | undefined;
  },
): Promise<{ items: Experiment[]; next_cursor: string | null }> {
  const records = await listExperiments(db, {
    status: query.status ?? null,
    query: query.query ?? null,
    before: parseCursor(query.cursor),
    limit: query.limit + 1,
  });
  const { items, next_cursor } = toPage(records, query.limit);
  return { items: items.map(toExperiment), next_cursor };
}

/** @throws DomainError `key_taken` */
export async function createExperiment(
  deps: ExperimentDeps,
  actor: Actor,
  request: ExperimentCreate,
): Promise<Experiment> {
  const seed = randomBytes(8).toString('hex');
  const created = await inTransaction(deps.db, async (tx) => {
    const id = await insertExperiment(tx, toNewExperiment(request, seed));
    if (id === undefined) throw keyTaken(request.key);
    const experiment = toExperiment(await requireExperiment(tx, String(id)));
    await audit(tx, actor, 'experiment.created', null, experiment);
    return experiment;
  });
  await deps.snapshot.refresh();
  return created;
}

/**
 * Changes fields of an experiment.
 *
 * @throws DomainError `immutable_after_start` naming each field that can no longer change,
 *   `version_mismatch` when it is not the version that the caller has seen
 */
export async function editExperiment(
  deps: ExperimentDeps,
  actor: Actor,
  ref: string,
  patch: ExperimentPatch,
  expected: ExpectedVersion,
): Promise<Experiment> {
  const edited = await inTransaction(deps.db, async (tx) => {
    const record = await lock(tx, ref, expected);
    if (record.status === 'archived') {
      throw new DomainError('transition_not_allowed', 'An archived experiment does not change');
    }
    const problems = immutableFields(record, patch);
    if (problems.length > 0) {
      const fields = problems.map(({ path }) => path).join(', ');
      throw new DomainError('immutable_after_start', `${fields} cannot change after the start`, {
        errors: problems,
      });
    }
    const changed = withPatch(record, patch);
    checkTimes(changed);
    await updateExperiment(tx, changed);
    if (patch.variants !== undefined) {
      const store = record.startedAt === null ? replaceVariants : updateVariants;
      await store(tx, record.id, toVariants(patch.variants));
    }
    return finishChange(tx, actor, 'experiment.updated', record);
  });
  await deps.snapshot.refresh();
  return edited;
}

/** @throws DomainError `transition_not_allowed` saying what is allowed instead */
export async function changeStatus(
  deps: ExperimentDeps,
  actor: Actor,
  ref: string,
  action: RequestedAction,
  expected: ExpectedVersion,
): Promise<Experiment> {
  const changed = await inTransaction(deps.db, async (tx) => {
    const record = await lock(tx, ref, expected);
    const now = new Date(deps.now());
    const isEarly = record.startsAt !== null && Date.parse(record.startsAt) > now.getTime();
    const actual = action === 'start' && isEarly && record.status === 'draft' ? 'schedule' : action;
    const status = TRANSITIONS[record.status][actual];
    if (status === null) {
      const allowed = allowedActions(record.status).join(', ') || 'nothing';
      throw new DomainError(
        'transition_not_allowed',
        `An experiment that is ${record.status} cannot ${action}; it allows ${allowed}`,
      );
    }
    const at = now.toISOString();
    await updateExperiment(tx, {
      ...record,
      status,
      startedAt: status === 'running' ? (record.startedAt ?? at) : record.startedAt,
      stoppedAt: status === 'stopped' ? at : record.stoppedAt,
    });
    return finishChange(tx, actor, PAST_TENSE[actual], record);
  });
  await deps.snapshot.refresh();
  return changed;
}

const PAST_TENSE: Readonly<Record<LifecycleAction, string>> = {
  schedule: 'experiment.scheduled',
  start: 'experiment.started',
  pause: 'experiment.paused',
  resume: 'experiment.resumed',
  stop: 'experiment.stopped',
  archive: 'experiment.archived',
};

/** A new draft with everything of another experiment but its seed, its times and its users. */
export async function cloneExperiment(
  deps: ExperimentDeps,
  actor: Actor,
  ref: string,
  request: { readonly key: string; readonly name?: string | undefined },
): Promise<Experiment> {
  const seed = randomBytes(8).toString('hex');
  const created = await inTransaction(deps.db, async (tx) => {
    const source = await requireExperiment(tx, ref);
    const id = await insertExperiment(tx, {
      ...source,
      seed,
      key: request.key,
      name: request.name ?? source.name,
      startsAt: null,
      endsAt: null,
    });
    if (id === undefined) throw keyTaken(request.key);
    const experiment = toExperiment(await requireExperiment(tx, String(id)));
    await audit(tx, actor, 'experiment.cloned', { key: source.key }, experiment);
    return experiment;
  });
  await deps.snapshot.refresh();
  return created;
}

/** @throws DomainError `not_a_draft` */
export async function removeExperiment(
  deps: ExperimentDeps,
  actor: Actor,
  ref: string,
  expected: ExpectedVersion,
): Promise<void> {
  await inTransaction(deps.db, async (tx) => {
    const record = await lock(tx, ref, expected);
    if (record.status !== 'draft') {
      throw new DomainError(
        'not_a_draft',
        `"${record.key}" is ${record.status}; archive it instead`,
      );
    }
    await deleteExperiment(tx, record.id);
    await audit(tx, actor, 'experiment.deleted', toExperiment(record), null);
  });
  await deps.snapshot.refresh();
}

/** What was done to an experiment, from the newest on. */
export async function historyOf(
  { db }: Pick<Deps, 'db'>,
  ref: string,
  limit: number,
  cursor: string | undefined,
) {
  const { id } = await requireExperiment(db, ref);
  return pageOfAudit(db, { type: 'experiment', id: String(id) }, limit, cursor);
}

/** Forces a variant on a user, for trying it out; neither stored as an assignment nor counted. */
export async function setOverride(
  deps: ExperimentDeps,
  actor: Actor,
  ref: string,
  userId: string,
  variantKey: string,
): Promise<{ experiment_id: number; user_id: string; variant: string }> {
  const override = await inTransaction(deps.db, async (tx) => {
    const record = await lock(tx, ref, undefined);
    const variant = record.variants.find(({ key }) => key === variantKey);
    if (variant === undefined) {
      const message = `must be one of ${record.variants.map(({ key }) => key).join(', ')}`;
      throw new DomainError('invalid', `variant: ${message}`, {
        errors: [{ path: 'variant', message }],
      });
    }
    await upsertOverride(tx, record.id, userId, variant.id);
    const after = { experiment_id: record.id, user_id: userId, variant: variantKey };
    await audit(tx, actor, 'override.set', null, { ...after, id: record.id });
    return after;
  });
  await deps.snapshot.refresh();
  return override;
}

/** @throws DomainError `override_not_found` */
export async function removeOverride(
  deps: ExperimentDeps,
  actor: Actor,
  ref: string,
  userId: string,
): Promise<void> {
  await inTransaction(deps.db, async (tx) => {
    const record = await lock(tx, ref, undefined);
    const existed = await deleteOverride(tx, record.id, userId);
    if (!existed) throw new DomainError('override_not_found');
    await audit(tx, actor, 'override.removed', { id: record.id, user_id: userId }, null);
  });
  await deps.snapshot.refresh();
}

async function lock(tx: Db, ref: string, expected: ExpectedVersion): Promise<ExperimentRecord> {
  const record = await findExperiment(tx, ref, 'lock');
  if (record === undefined) throw notFound(ref);
  if (expected !== undefined && record.version !== expected) {
    throw new DomainError(
      'version_mismatch',
      `"${record.key}" is at version ${record.version}, not ${expected}; read it again`,
    );
  }
  return record;
}

/** Reads what a change made, keeps its version once the experiment has started, and audits it. */
async function finishChange(
  tx: Db,
  actor: Actor,
  action: string,
  before: ExperimentRecord,
): Promise<Experiment> {
  const after = must(await findExperiment(tx, String(before.id)), 'the row is locked');
  if (after.startedAt !== null) await insertVersion(tx, after);
  const answer = toExperiment(after);
  await audit(tx, actor, action, toExperiment(before), answer);
  return answer;
}

function checkTimes({ startsAt, endsAt }: ExperimentRecord): void {
  if (startsAt === null || endsAt === null || Date.parse(startsAt) < Date.parse(endsAt)) return;
  const message = 'must be later than starts_at';
  throw new DomainError('invalid', `ends_at: ${message}`, {
    errors: [{ path: 'ends_at', message }],
  });
}

function audit(
  tx: Db,
  actor: Actor,
  action: string,
  before: Record<string, unknown> | null,
  after: (Record<string, unknown> & { readonly id: number }) | null,
): Promise<void> {
  const id = after?.id ?? before?.id;
  return recordAudit(tx, actor, {
    action,
    resourceType: 'experiment',
    resourceId: String(id),
    before,
    after,
  });
}

const notFound = (ref: string): DomainError =>
  new DomainError('experiment_not_found', `There is no experiment "${ref}"`);

const keyTaken = (key: string): DomainError =>
  new DomainError('key_taken', `There is an experiment "${key}" already`, {
    errors: [{ path: 'key', message: 'is in use' }],
  });
