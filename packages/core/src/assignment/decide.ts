import type { ExperimentStatus } from '../lifecycle/transitions.ts';
import { bucketOf } from './buckets.ts';

/** A variant as evaluation sees it; `from`/`to` are its buckets. */
export interface EvaluableVariant {
  readonly id: number;
  readonly key: string;
  readonly from: number;
  readonly to: number;
}

/** An experiment as evaluation sees it. */
export interface EvaluableExperiment<V extends EvaluableVariant = EvaluableVariant> {
  readonly status: ExperimentStatus;
  readonly seed: string;
  readonly version: number;
  readonly variants: readonly V[];
}

/** What is stored about a user in an experiment; a variant of that experiment. */
export interface StoredAssignment<V extends EvaluableVariant = EvaluableVariant> {
  readonly variant: V;
  readonly version: number;
  readonly source: 'hash' | 'reported' | 'forced';
}

export type AssignmentSource = 'hash' | 'db' | 'override' | 'forced' | 'reported';
export type NotAssignedReason =
  | 'not_running'
  | 'not_targeted'
  | 'outside_coverage'
  | 'in_holdout'
  | 'layer_taken';

/** The answer for one user in one experiment, and the whole reason for it. */
export type Decision<V extends EvaluableVariant = EvaluableVariant> =
  | {
      readonly variant: V;
      readonly source: AssignmentSource;
      readonly reason: 'assigned';
      readonly version: number;
      readonly bucket: number;
    }
  | {
      readonly variant: null;
      readonly source: null;
      readonly reason: NotAssignedReason;
      readonly version: number;
      readonly bucket: number;
    };

/**
 * Decides for one user. Pure and total: the same inputs give the same answer on every platform.
 * The order is: neither running nor paused → none; override; stored; paused → none; (holdout,
 * layer and targeting have their place here); coverage; hash.
 *
 * @param override the variant that a QA override gives this user, if any
 * @param stored the user's stored assignment, if any
 */
export function decide<V extends EvaluableVariant>(
  experiment: EvaluableExperiment<V>,
  userId: string,
  override: V | undefined,
  stored: StoredAssignment<V> | undefined,
): Decision<V> {
  const { status, seed, version, variants } = experiment;
  const bucket = bucketOf(userId, seed);
  if (status !== 'running' && status !== 'paused') return none('not_running', version, bucket);
  if (override !== undefined) return given(override, 'override', version, bucket);
  if (stored !== undefined) {
    const source = stored.source === 'hash' ? 'db' : stored.source;
    return given(stored.variant, source, stored.version, bucket);
  }
  if (status === 'paused') return none('not_running', version, bucket);
  for (const variant of variants) {
    if (bucket >= variant.from && bucket < variant.to) {
      return given(variant, 'hash', version, bucket);
    }
  }
  return none('outside_coverage', version, bucket);
}

function given<V extends EvaluableVariant>(
  variant: V,
  source: AssignmentSource,
  version: number,
  bucket: number,
): Decision<V> {
  return { variant, source, reason: 'assigned', version, bucket };
}

function none(reason: NotAssignedReason, version: number, bucket: number): Decision<never> {
  return { variant: null, source: null, reason, version, bucket };
}
