import type { Assignment } from '@assay/contract';
import { type Decision, decide, formatInstant } from '@assay/core';
import type { Deps } from '../../deps.ts';
import { DomainError, must } from '../../errors.ts';
import { isUnavailable } from '../../platform/postgres.ts';
import {
  findInSnapshot,
  type LiveSnapshot,
  type SnapshotExperiment,
  type SnapshotVariant,
} from '../snapshot/snapshot.ts';
import type { AssignmentRow } from './store.ts';
import type { AssignmentWriter, Stored } from './writer.ts';

/** What assigning needs of a process. */
export interface AssignmentDeps extends Pick<Deps, 'now' | 'log'> {
  readonly snapshot: LiveSnapshot;
  readonly assignments: AssignmentWriter;
}

/** How often a decision is taken again because the experiment changed under it. */
const ATTEMPTS_MAX = 4;

/**
 * The variant of one user in one experiment, stored before it is answered. Known users are
 * answered from memory, without waiting.
 *
 * @param ref id or key of the experiment
 * @param context kept with the assignment if it is a new one
 * @throws DomainError `experiment_not_found`; `unavailable` when PostgreSQL is away and the hash is
 *   not certain, `overloaded` when too many wait
 */
export function assignUser(
  deps: AssignmentDeps,
  ref: string,
  userId: string,
  context: Record<string, unknown> = {},
  options: { readonly forceRefresh?: boolean } = {},
): Assignment | Promise<Assignment> {
  const experiment = findInSnapshot(deps.snapshot, ref);
  if (experiment === undefined) {
    throw new DomainError('experiment_not_found', `There is no experiment "${ref}"`);
  }
  const override = experiment.overrides.get(userId);
  const isDecidedWithoutStore =
    override !== undefined || (experiment.status !== 'running' && experiment.status !== 'paused');
  if (isDecidedWithoutStore) {
    return answer(experiment, userId, decide(experiment, userId, override, undefined), null, false);
  }
  const stored = options.forceRefresh ? undefined : deps.assignments.cached(experiment.id, userId);
  if (stored !== undefined && stored !== 'absent') {
    return answerStored(experiment, userId, stored);
  }
  return assignUnknown(deps, experiment, userId, context, stored);
}

/** Every running experiment's variant for one user, or those of the named ones. */
export async function assignUserEverywhere(
  deps: AssignmentDeps,
  userId: string,
  context: Record<string, unknown>,
  keys: readonly string[] | undefined,
): Promise<{ assignments: Assignment[] }> {
  const { experimentsByKey } = deps.snapshot.current();
  const named =
    keys ??
    [...experimentsByKey.values()]
      .filter(({ status }) => status === 'running')
      .map(({ key }) => key);
  const assignments = await Promise.all(
    named.map(async (key) => assignUser(deps, key, userId, context)),
  );
  return { assignments };
}

async function assignUnknown(
  deps: AssignmentDeps,
  experiment: SnapshotExperiment,
  userId: string,
  context: Record<string, unknown>,
  known: Stored | undefined,
): Promise<Assignment> {
  let current = experiment;
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const decision = decide(current, userId, current.overrides.get(userId), undefined);
    try {
      if (decision.source !== 'hash') {
        // Nothing to insert; but a row may be there from before a change, or from a report.
        const stored = known ?? (await deps.assignments.find(current.id, userId));
        return stored === 'absent'
          ? answer(current, userId, decision, null, false)
          : answerStored(current, userId, stored);
      }
      const assignedAt = formatInstant(deps.now() * 1000);
      const persisted = await deps.assignments.persist({
        experimentId: current.id,
        userId,
        variantId: decision.variant.id,
        version: decision.version,
        source: 'hash',
        bucket: decision.bucket,
        assignedAt,
        context,
      });
      if (persisted !== 'outdated') {
        return persisted.isNew
          ? answer(current, userId, decision, assignedAt, true)
          : answerStored(current, userId, persisted.row);
      }
    } catch (error) {
      return answerWithoutStore(current, userId, decision, error);
    }
    await deps.snapshot.refresh();
    const newer = deps.snapshot.current().experimentsById.get(current.id);
    if (newer === undefined) throw new DomainError('experiment_not_found');
    current = newer;
  }
  throw new DomainError('unavailable', 'The experiment is being changed; try again', {
    retryAfterSeconds: 1,
  });
}

/**
 * While PostgreSQL cannot be reached the hash stands in, but only where it is certain to say what
 * is stored: one split in all versions so far, and no assignment that came from elsewhere.
 */
function answerWithoutStore(
  experiment: SnapshotExperiment,
  userId: string,
  decision: Decision<SnapshotVariant>,
  error: unknown,
): Assignment {
  if (!isUnavailable(error)) throw error;
  const isCertain = experiment.hasOneSplit && !experiment.hasReported;
  if (isCertain) return answer(experiment, userId, decision, null, false);
  throw new DomainError('unavailable', 'The assignment cannot be looked up now', {
    retryAfterSeconds: 1,
    cause: error,
  });
}

function answerStored(
  experiment: SnapshotExperiment,
  userId: string,
  row: AssignmentRow,
): Assignment {
  const variant = must(
    experiment.variantsById.get(row.variantId),
    'a stored assignment names a variant of its experiment',
  );
  const stored = { variant, version: row.version, source: row.source };
  return answer(
    experiment,
    userId,
    decide(experiment, userId, undefined, stored),
    row.assignedAt,
    true,
  );
}

function answer(
  experiment: SnapshotExperiment,
  userId: string,
  decision: Decision<SnapshotVariant>,
  assignedAt: string | null,
  persisted: boolean,
): Assignment {
  const { variant } = decision;
  return {
    experiment_id: experiment.id,
    experiment_key: experiment.key,
    user_id: userId,
    variant:
      variant === null
        ? null
        : { id: variant.id, key: variant.key, name: variant.name, config: variant.config },
    source: decision.source,
    reason: decision.reason,
    version: decision.version,
    bucket: decision.bucket,
    assigned_at: assignedAt,
    persisted,
  };
}
