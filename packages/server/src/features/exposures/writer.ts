import type { Deps } from '../../deps.ts';
import { createGroupCommit, type GroupCommit } from '../../platform/group-commit.ts';
import { type Db, inTransaction, isDataError } from '../../platform/postgres.ts';
import {
  type ConflictRow,
  type ExposureRow,
  insertConflicts,
  insertReported,
  lockStored,
  markReported,
  moveAssignedAtBack,
} from './store.ts';

/** An exposure, or one that is a conflict whatever is stored. */
export interface ExposureWrite {
  readonly row: ExposureRow;
  readonly isNeverGiven: boolean;
}

export type ExposureOutcome = 'accepted' | 'duplicate' | 'conflict';

export type ExposureWriter = GroupCommit<readonly ExposureWrite[], readonly ExposureOutcome[]>;

/** Joins the exposures of many requests into few transactions. */
export function createExposureWriter(deps: Pick<Deps, 'db' | 'metrics'>): ExposureWriter {
  return createGroupCommit({
    name: 'exposures',
    maxRows: 2_000,
    lingerMs: 1,
    maxConcurrent: 2,
    maxWaitingRows: 50_000,
    weight: (rows) => rows.length,
    isItemFault: isDataError,
    metrics: deps.metrics,
    commit: (requests) => inTransaction(deps.db, (tx) => commitExposures(tx, requests)),
  });
}

const keyOf = (row: { experimentId: number; userId: string }): string =>
  `${row.experimentId}:${row.userId}`;

async function commitExposures(
  tx: Db,
  requests: readonly (readonly ExposureWrite[])[],
): Promise<readonly (readonly ExposureOutcome[])[]> {
  const writes = requests.flat();
  const candidates = earliestPerUser(writes);
  const variantOf = new Map<string, number>();
  const changed = new Set<string>();

  if (candidates.length > 0) {
    await markReported(tx, [...new Set(candidates.map(({ experimentId }) => experimentId))]);
    for (const stored of await insertReported(tx, candidates)) {
      variantOf.set(keyOf(stored), stored.variantId);
      changed.add(keyOf(stored));
    }
    const others = candidates.filter((row) => !variantOf.has(keyOf(row)));
    if (others.length > 0) {
      for (const stored of await lockStored(tx, others)) {
        variantOf.set(keyOf(stored), stored.variantId);
      }
      for (const moved of await moveAssignedAtBack(tx, others)) changed.add(keyOf(moved));
    }
  }

  const isConflict = ({ row, isNeverGiven }: ExposureWrite): boolean =>
    isNeverGiven || variantOf.get(keyOf(row)) !== row.variantId;
  const conflicts = writes.filter(isConflict).map((write) => toConflict(write, variantOf));
  if (conflicts.length > 0) await insertConflicts(tx, conflicts);

  // Of several exposures of one user in one group, the first with the stored variant is the one
  // that was accepted.
  const answered = new Set<string>();
  return requests.map((request) =>
    request.map((write) => {
      if (isConflict(write)) return 'conflict';
      const key = keyOf(write.row);
      if (!changed.has(key) || answered.has(key)) return 'duplicate';
      answered.add(key);
      return 'accepted';
    }),
  );
}

/**
 * One row per user and experiment, in key order: the variant that came first in the group, at the
 * earliest time at which the group reports that variant.
 */
function earliestPerUser(writes: readonly ExposureWrite[]): readonly ExposureRow[] {
  const byKey = new Map<string, ExposureRow>();
  for (const { row, isNeverGiven } of writes) {
    if (isNeverGiven) continue;
    const key = keyOf(row);
    const known = byKey.get(key);
    const isEarlier = known?.variantId === row.variantId && row.assignedAt < known.assignedAt;
    if (known === undefined || isEarlier) byKey.set(key, row);
  }
  return [...byKey.values()].sort(
    (a, b) => a.experimentId - b.experimentId || (a.userId < b.userId ? -1 : 1),
  );
}

function toConflict(
  { row, isNeverGiven }: ExposureWrite,
  variantOf: ReadonlyMap<string, number>,
): ConflictRow {
  return {
    experimentId: row.experimentId,
    userId: row.userId,
    variantId: variantOf.get(keyOf(row)) ?? 0,
    reportedVariantId: row.variantId,
    reason: isNeverGiven ? 'never_given' : 'another_variant',
    seenAt: row.assignedAt,
  };
}
