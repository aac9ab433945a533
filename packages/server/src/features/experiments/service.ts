import { randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Experiment, ExperimentCreate, ExperimentPatch } from '@assay/contract';
import {
  allowedActions,
  type ExperimentStatus,
  type LifecycleAction,
  TRANSITIONS,
} from '@assay/core';
import type { Deps } from '../../deps.ts';
import { DomainError, invalidField, must } from '../../errors.ts';
import { parseCursor, toPage } from '../../paging.ts';
import { type Db, inTransaction } from '../../platform/postgres.ts';
import { type ExpectedVersions, requireVersion } from '../../versions.ts';
import { type Actor, pageOfAudit, recordAudit } from '../audit/service.ts';
import { requireMetrics } from '../metrics/service-names.ts';
import { showChange } from '../snapshot/service.ts';
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
  findExperiment,
  insertExperiment,
  insertVersion,
  listExperiments,
  listVersions as listStoredVersions,
  type NewExperiment,
  replaceVariants,
  updateExperiment,
  updateVariants,
} from './store.ts';

export interface ExperimentDeps extends Pick<Deps, 'db' | 'now'> {
  /** Read anew after a change, so that the changing process sees its own writes. */
  readonly snapshot: Pick<LiveSnapshot, 'refresh'>;
}

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

/** @throws DomainError `experiment_not_found` */
export async function getExperiment({ db }: Pick<Deps, 'db'>, ref: string): Promise<Experiment> {
  return toExperiment(await requireExperiment(db, ref));
}

/**
 * Experiments from the newest on.
 *
 * @throws DomainError `invalid` for a cursor that no list has given
 */
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

/** @throws DomainError `key_taken`; `invalid` naming the metrics that do not exist */
export async function createExperiment(
  deps: ExperimentDeps,
  actor: Actor,
  request: ExperimentCreate,
): Promise<Experiment> {
  const draft = toNewExperiment(request, makeSeed());
  const created = await inTransaction(deps.db, (tx) =>
    insertDraft(tx, actor, draft, 'experiment.created', null),
  );
  await showChange(deps);
  return created;
}

/**
 * Changes fields of an experiment.
 *
 * @throws DomainError `immutable_after_start` naming each field that can no longer change,
 *   `version_mismatch` when it is not the version that the caller has seen, `invalid` for times that
 *   do not fit and metrics that do not exist, `transition_not_allowed` for an archived one,
 *   `experiment_not_found`
 */
export async function editExperiment(
  deps: ExperimentDeps,
  actor: Actor,
  ref: string,
  patch: ExperimentPatch,
  expected: ExpectedVersions,
): Promise<Experiment> {
  const edited = await inTransaction(deps.db, async (tx) => {
    const record = await lockExperiment(tx, ref, expected);
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
    if (isSame(record, changed, patch)) return toExperiment(record);
    await requireMetrics(tx, patch.metrics ?? []);
    await updateExperiment(tx, changed);
    if (patch.variants !== undefined) {
      const store = record.startedAt === null ? replaceVariants : updateVariants;
      await store(tx, record.id, toVariants(patch.variants, record.variants));
    }
    return finishChange(tx, actor, 'experiment.updated', record);
  });
  await showChange(deps);
  return edited;
}

/** Whether a patch says nothing but what is: then there is no new version, and nothing to tell. */
function isSame(
  record: ExperimentRecord,
  changed: ExperimentRecord,
  { variants }: ExperimentPatch,
): boolean {
  const given = variants === undefined ? [] : toVariants(variants, record.variants);
  const present = record.variants.map(({ id: _id, ...variant }) => variant);
  return (
    isDeepStrictEqual(record, changed) &&
    (variants === undefined || isDeepStrictEqual(given, present))
  );
}

/**
 * Does to an experiment what its lifecycle allows.
 *
 * @throws DomainError `transition_not_allowed` saying what is allowed instead,
 *   `experiment_not_found`, `version_mismatch`
 */
export async function changeStatus(
  deps: ExperimentDeps,
  actor: Actor,
  ref: string,
  action: RequestedAction,
  expected: ExpectedVersions,
): Promise<Experiment> {
  const changed = await inTransaction(deps.db, async (tx) => {
    const record = await lockExperiment(tx, ref, expected);
    return applyAction(tx, actor, record, action, deps.now());
  });
  await showChange(deps);
  return changed;
}

/**
 * Starts or stops an experiment if its time has come, which is asked again under the lock: the
 * time may have been moved since somebody saw that it was due. Answers false if it is not.
 */
export async function changeStatusWhenDue(
  deps: Pick<Deps, 'db' | 'now'>,
  actor: Actor,
  ref: string,
  action: 'start' | 'stop',
): Promise<boolean> {
  return inTransaction(deps.db, async (tx) => {
    const record = await lockExperiment(tx, ref, undefined);
    const now = deps.now();
    const { status, startsAt, endsAt } = record;
    const isDue =
      action === 'start'
        ? status === 'scheduled' && isReached(startsAt, now)
        : TRANSITIONS[status].stop === 'stopped' && isReached(endsAt, now);
    if (isDue) await applyAction(tx, actor, record, action, now);
    return isDue;
  });
}

const isReached = (time: string | null, nowMs: number): boolean =>
  time !== null && Date.parse(time) <= nowMs;

async function applyAction(
  tx: Db,
  actor: Actor,
  record: ExperimentRecord,
  action: RequestedAction,
  nowMs: number,
): Promise<Experiment> {
  const isEarly = record.startsAt !== null && !isReached(record.startsAt, nowMs);
  const actual = action === 'start' && isEarly && record.status === 'draft' ? 'schedule' : action;
  const status = TRANSITIONS[record.status][actual];
  if (status === null) {
    const allowed = allowedActions(record.status).filter((name) => name !== 'schedule');
    throw new DomainError(
      'transition_not_allowed',
      `An experiment that is ${record.status} cannot ${action}; it allows ${allowed.join(', ') || 'nothing'}`,
    );
  }
  if (action === 'start' && isReached(record.endsAt, nowMs)) {
    // It would be stopped within a second, and a stopped experiment never runs again.
    const message = 'has passed; set a later time or none before the start';
    throw new DomainError('transition_not_allowed', `ends_at ${message}`, {
      errors: [{ path: 'ends_at', message }],
    });
  }
  const at = new Date(nowMs).toISOString();
  await updateExperiment(tx, {
    ...record,
    status,
    startedAt: status === 'running' ? (record.startedAt ?? at) : record.startedAt,
    stoppedAt: status === 'stopped' ? at : record.stoppedAt,
  });
  return finishChange(tx, actor, PAST_TENSE[actual], record);
}

const PAST_TENSE: Readonly<Record<LifecycleAction, string>> = {
  schedule: 'experiment.scheduled',
  start: 'experiment.started',
  pause: 'experiment.paused',
  resume: 'experiment.resumed',
  stop: 'experiment.stopped',
  archive: 'experiment.archived',
};

/**
 * A new draft with everything of another experiment but its seed, its times and its users.
 *
 * @throws DomainError `experiment_not_found`, `key_taken`; `invalid` naming the metrics that were
 *   deleted since
 */
export async function cloneExperiment(
  deps: ExperimentDeps,
  actor: Actor,
  ref: string,
  request: { readonly key: string; readonly name?: string | undefined },
): Promise<Experiment> {
  const created = await inTransaction(deps.db, async (tx) => {
    const source = await requireExperiment(tx, ref);
    const draft: NewExperiment = {
      ...source,
      seed: makeSeed(),
      key: request.key,
      name: request.name ?? source.name,
      startsAt: null,
      endsAt: null,
    };
    const from = { id: source.id, key: source.key };
    return insertDraft(tx, actor, draft, 'experiment.cloned', from);
  });
  await showChange(deps);
  return created;
}

const makeSeed = (): string => randomBytes(8).toString('hex');

async function insertDraft(
  tx: Db,
  actor: Actor,
  draft: NewExperiment,
  action: 'experiment.created' | 'experiment.cloned',
  before: Record<string, unknown> | null,
): Promise<Experiment> {
  await requireMetrics(tx, draft.metrics);
  const id = await insertExperiment(tx, draft);
  if (id === undefined) throw keyTaken(draft.key);
  const experiment = toExperiment(await requireExperiment(tx, String(id)));
  await auditExperiment(tx, actor, id, action, before, experiment);
  return experiment;
}

/**
 * Deletes a draft.
 *
 * @throws DomainError `not_a_draft`, `experiment_not_found`, `version_mismatch`
 */
export async function removeExperiment(
  deps: ExperimentDeps,
  actor: Actor,
  ref: string,
  expected: ExpectedVersions,
): Promise<void> {
  await inTransaction(deps.db, async (tx) => {
    const record = await lockExperiment(tx, ref, expected);
    if (record.status !== 'draft') {
      throw new DomainError(
        'not_a_draft',
        `"${record.key}" is ${record.status}; archive it instead`,
      );
    }
    await deleteExperiment(tx, record.id);
    await auditExperiment(tx, actor, record.id, 'experiment.deleted', toExperiment(record), null);
  });
  await showChange(deps);
}

/**
 * What was done to an experiment, from the newest on.
 *
 * @throws DomainError `experiment_not_found`; `invalid` for a cursor that no list has given
 */
export async function historyOf(
  { db }: Pick<Deps, 'db'>,
  ref: string,
  limit: number,
  cursor: string | undefined,
) {
  const { id } = await requireExperiment(db, ref);
  return pageOfAudit(db, { type: 'experiment', id: String(id) }, limit, cursor);
}

/**
 * An experiment, held until the transaction ends.
 *
 * @throws DomainError `experiment_not_found`; `version_mismatch` when it is none of those expected
 */
export async function lockExperiment(
  tx: Db,
  ref: string,
  expected: ExpectedVersions,
): Promise<ExperimentRecord> {
  const record = await findExperiment(tx, ref, 'lock');
  if (record === undefined) throw notFound(ref);
  requireVersion(record, expected);
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
  await auditExperiment(tx, actor, after.id, action, toExperiment(before), answer);
  return answer;
}

function checkTimes({ status, startsAt, endsAt }: ExperimentRecord): void {
  if (status === 'scheduled' && startsAt === null) {
    throw invalidField('starts_at', 'is what the experiment waits for; stop it to make it a draft');
  }
  if (startsAt === null || endsAt === null || Date.parse(startsAt) < Date.parse(endsAt)) return;
  throw invalidField('ends_at', 'must be later than starts_at');
}

/** Tells in the history what was done to an experiment. */
export function auditExperiment(
  tx: Db,
  actor: Actor,
  id: number,
  action: string,
  before: Record<string, unknown> | null,
  after: Record<string, unknown> | null,
): Promise<void> {
  const resource = { resourceType: 'experiment', resourceId: String(id) };
  return recordAudit(tx, actor, { ...resource, action, before, after });
}

const notFound = (ref: string): DomainError =>
  new DomainError('experiment_not_found', `There is no experiment "${ref}"`);

const keyTaken = (key: string): DomainError =>
  new DomainError('key_taken', `There is an experiment "${key}" already`, {
    errors: [{ path: 'key', message: 'is in use' }],
  });
