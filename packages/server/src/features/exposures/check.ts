import { ExposureInput } from '@assay/contract';
import { bucketOf, formatInstant } from '@assay/core';
import type { TimeWindow } from '../../retention.ts';
import { invalidItem, outOfWindow, type Rejection, rejectField } from '../quarantine/service.ts';
import type { SnapshotExperiment, SnapshotVariant } from '../snapshot/snapshot.ts';
import type { ExposureRow } from './store.ts';

/** What one reported exposure comes to, before anything is stored. */
export type CheckedExposure =
  | { readonly kind: 'row'; readonly row: ExposureRow }
  /** The hash never gives this variant, and the token may not say otherwise. */
  | { readonly kind: 'conflict'; readonly row: ExposureRow; readonly rejection: Rejection }
  | { readonly kind: 'rejected'; readonly rejection: Rejection };

export interface ExposureRules {
  readonly window: TimeWindow;
  /** Microseconds since the epoch; the time of an exposure that says none. */
  readonly now: number;
  /** Editors may report what the hash does not give, and times before the start. */
  readonly isEditor: boolean;
  readonly findExperiment: (ref: string) => SnapshotExperiment | undefined;
}

/** Checks one item and makes an assignment of it. */
export function checkExposure(item: unknown, rules: ExposureRules): CheckedExposure {
  const parsed = ExposureInput.safeParse(item);
  if (!parsed.success) return rejected(invalidItem(parsed.error));
  const { experiment: ref, user_id, variant: variantKey, timestamp, context } = parsed.data;
  const experiment = rules.findExperiment(ref);
  if (experiment === undefined) {
    return rejected(
      rejectField('unknown_experiment', 'experiment', `there is no experiment "${ref}"`),
    );
  }
  if (experiment.startedAt === null || experiment.status === 'archived') {
    return rejected(
      rejectField('not_started', 'experiment', `"${ref}" has not been started, or is archived`),
    );
  }
  const variant = experiment.variantsByKey.get(variantKey);
  if (variant === undefined) {
    const known = [...experiment.variantsByKey.keys()].join(', ');
    return rejected(rejectField('unknown_variant', 'variant', `must be one of ${known}`));
  }
  const micros = timestamp ?? rules.now;
  if (micros < rules.window.from || micros > rules.window.to) {
    return rejected(outOfWindow(rules.window));
  }
  if (micros < experiment.startedAt && !rules.isEditor) {
    const start = formatInstant(experiment.startedAt);
    return rejected(rejectField('before_start', 'timestamp', `the experiment started at ${start}`));
  }
  const bucket = bucketOf(user_id, experiment.seed);
  const row: ExposureRow = {
    experimentId: experiment.id,
    userId: user_id,
    variantId: variant.id,
    version: experiment.version,
    bucket,
    assignedAt: formatInstant(micros),
    context: context ?? '{}',
  };
  if (!rules.isEditor && !couldHaveBeenGiven(experiment, variant, user_id, bucket)) {
    const rejection = conflict('the hash gives this user another variant');
    return { kind: 'conflict', row, rejection };
  }
  return { kind: 'row', row };
}

/** The rejection of a variant that is not the user's. */
export function conflict(message: string): Rejection {
  return rejectField('assignment_conflict', 'variant', message);
}

function couldHaveBeenGiven(
  experiment: SnapshotExperiment,
  variant: SnapshotVariant,
  userId: string,
  bucket: number,
): boolean {
  if (experiment.overrides.get(userId) === variant) return true;
  return experiment.versions.some(({ ranges }) =>
    ranges.some(
      ({ variantId, from, to }) => variantId === variant.id && bucket >= from && bucket < to,
    ),
  );
}

function rejected(rejection: Rejection): CheckedExposure {
  return { kind: 'rejected', rejection };
}
