import type { ExposuresResponse } from '@assay/contract';
import type { Deps } from '../../deps.ts';
import type { Principal } from '../../principal.ts';
import { acceptedWindow } from '../../retention.ts';
import type { AssignmentWriter } from '../assignments/writer.ts';
import { quarantine, type RejectedItem } from '../quarantine/service.ts';
import { findInSnapshot, type LiveSnapshot } from '../snapshot/snapshot.ts';
import { checkExposure, conflict } from './check.ts';
import type { ExposureOutcome, ExposureWrite, ExposureWriter } from './writer.ts';

/** What taking exposures needs of a process. */
export interface ExposureDeps extends Pick<Deps, 'db' | 'now' | 'config' | 'metrics'> {
  readonly snapshot: LiveSnapshot;
  readonly exposures: ExposureWriter;
  readonly assignments: Pick<AssignmentWriter, 'forget'>;
}

type Result = ExposuresResponse['results'][number];

/**
 * Stores what clients that evaluate locally report: the assignment if there is none, an earlier
 * time if there is one with the same variant, else a conflict. Resolves after the commit.
 */
export async function reportExposures(
  deps: ExposureDeps,
  principal: Principal,
  items: readonly unknown[],
): Promise<ExposuresResponse> {
  const rules = {
    window: acceptedWindow(deps.now(), deps.config.retentionMonths),
    now: deps.now() * 1000,
    isEditor: principal.role === 'editor' || principal.role === 'admin',
    findExperiment: (ref: string) => findInSnapshot(deps.snapshot, ref),
  };
  const checked = items.map((item) => checkExposure(item, rules));

  const writes: ExposureWrite[] = [];
  const rejects: RejectedItem[] = [];
  checked.forEach((check, index) => {
    if (check.kind === 'rejected') rejects.push({ item: items[index], rejection: check.rejection });
    else writes.push({ row: check.row, isNeverGiven: check.kind === 'conflict' });
  });
  const [outcomes] = await Promise.all([
    writes.length === 0 ? [] : deps.exposures.submit(writes),
    quarantine(deps, 'exposure', rejects),
  ]);

  outcomes.forEach((outcome, index) => {
    const row = writes[index]?.row;
    if (outcome === 'accepted' && row) deps.assignments.forget(row.experimentId, row.userId);
  });

  let next = 0;
  const results = checked.map((check, index): Result => {
    if (check.kind === 'rejected') return { index, status: 'rejected', ...check.rejection };
    const outcome = outcomes[next++];
    if (check.kind === 'conflict') return { index, status: 'rejected', ...check.rejection };
    return toResult(index, outcome);
  });
  const count = (status: Result['status']): number => {
    const number = results.filter((result) => result.status === status).length;
    deps.metrics.ingestItems.inc({ kind: 'exposure', status }, number);
    return number;
  };
  return {
    accepted: count('accepted'),
    duplicates: count('duplicate'),
    rejected: count('rejected'),
    results,
  };
}

function toResult(index: number, outcome: ExposureOutcome | undefined): Result {
  if (outcome === 'accepted') return { index, status: 'accepted' };
  if (outcome === 'duplicate') return { index, status: 'duplicate' };
  return { index, status: 'rejected', ...conflict('the user is stored with another variant') };
}
