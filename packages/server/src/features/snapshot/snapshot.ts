import type { EvaluableExperiment, EvaluableVariant } from '@assay/core';
import type { Principal } from '../../principal.ts';

export interface SnapshotVariant extends EvaluableVariant {
  readonly name: string;
  readonly isControl: boolean;
  readonly config: Record<string, unknown>;
}

/** An experiment compiled for evaluation. */
export interface SnapshotExperiment extends EvaluableExperiment<SnapshotVariant> {
  readonly id: number;
  readonly key: string;
  /** Microseconds since the epoch, null before the first start. */
  readonly startedAt: number | null;
  readonly variantsById: ReadonlyMap<number, SnapshotVariant>;
  readonly variantsByKey: ReadonlyMap<string, SnapshotVariant>;
  /** Some assignments did not come from the hash: only the store knows them. */
  readonly hasReported: boolean;
  readonly overrides: ReadonlyMap<string, SnapshotVariant>;
  /** All versions so far split the buckets alike: the hash has given one answer to each user. */
  readonly hasOneSplit: boolean;
  /** Bucket ranges of every version, with variant ids: what the hash could ever have given. */
  readonly versions: readonly {
    readonly version: number;
    readonly ranges: readonly {
      readonly variantId: number;
      readonly from: number;
      readonly to: number;
    }[];
  }[];
}

/** Everything that evaluation and authentication need, immutable, replaced as a whole. */
export interface Snapshot {
  /** `config_version` at which it was read. */
  readonly version: number;
  readonly experimentsById: ReadonlyMap<number, SnapshotExperiment>;
  readonly experimentsByKey: ReadonlyMap<string, SnapshotExperiment>;
  /** By SHA-256 of the token in hex; revoked ones are absent. */
  readonly tokens: ReadonlyMap<string, Principal>;
}

/** The live snapshot of a process. */
export interface LiveSnapshot {
  /** The newest snapshot. Throws DomainError('unavailable') until the first one is loaded. */
  readonly current: () => Snapshot;
  /** True while changes are certain to be noticed: listening, and polled within the last seconds. */
  readonly isLive: () => boolean;
  readonly isLoaded: () => boolean;
  /** Reads anew; to be awaited after a change, so that the changing process sees its own writes. */
  readonly refresh: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

/**
 * The experiment that a reference names: an id, or a key (which begins with a letter).
 *
 * @throws DomainError `unavailable` until the first snapshot is loaded
 */
export function findInSnapshot(
  snapshot: LiveSnapshot,
  ref: string,
): SnapshotExperiment | undefined {
  const { experimentsById, experimentsByKey } = snapshot.current();
  const first = ref.charCodeAt(0);
  return first >= 48 && first <= 57 ? experimentsById.get(Number(ref)) : experimentsByKey.get(ref);
}
