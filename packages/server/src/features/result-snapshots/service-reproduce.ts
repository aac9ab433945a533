import type { JsonDifference, ReproduceQuery, Reproduction } from '@assay/contract';
import { DomainError } from '../../errors.ts';
import { isContention, isUnavailable } from '../../platform/postgres.ts';
import { askAgain } from '../results/service.ts';
import { ENGINE_VERSION } from '../results/to-results.ts';
import { resultText, type StoredBundle, throughJson } from './bundle.ts';
import { differencesOf } from './differences.ts';
import { isUnreadable, parsed, readBundle } from './read-bundle.ts';
import { hashesOf, requireSnapshot, type SnapshotDeps } from './service.ts';
import { isSameSum, statisticsDifferences } from './statistics.ts';
import type { SnapshotTexts } from './store.ts';

const DIFFERENCES_MAX = 100;

/**
 * Computes a stored result anew, and says where it differs. Where nothing can be computed from what
 * is stored, the difference is where that shows, and a note says why.
 *
 * @param from `bundle`: out of what was stored, so that only another engine can give another result.
 *   `store`: out of what the store answers now to the stored question, everything else being as it was
 * @throws DomainError `experiment_not_found`, `snapshot_not_found`; `unavailable` when the store does
 *   not answer
 */
export async function reproduceSnapshot(
  deps: SnapshotDeps,
  ref: string,
  id: number,
  from: ReproduceQuery['from'],
): Promise<Reproduction> {
  const { sha256, ...stored } = await requireSnapshot(deps.db, ref, id);
  const hashes = hashesOf(stored);
  const isIntact = hashes.bundle === sha256.bundle && hashes.result === sha256.result;
  const compared = await comparisonOf(deps, id, stored, from);
  const { asOf, isEqual, differences, isComputed, notes } = compared;
  return {
    snapshot_id: id,
    from,
    equal: isEqual,
    intact: isIntact,
    engine_version: { stored: stored.engine_version, recomputed: ENGINE_VERSION },
    as_of: { stored: stored.as_of, recomputed: asOf },
    difference_count: differences.length,
    differences: differences.slice(0, DIFFERENCES_MAX),
    notes: [
      ...(isIntact ? [] : ['What is stored is not what was stored: its SHA-256 differs']),
      ...(stored.engine_version === ENGINE_VERSION || !isComputed
        ? []
        : [
            `Engine ${stored.engine_version} made it, and ${ENGINE_VERSION} recomputed it: a result names its engine, so that differs at least`,
          ]),
      ...notes,
      ...(differences.length > DIFFERENCES_MAX
        ? [`Only the first ${DIFFERENCES_MAX} of ${differences.length} differences are given`]
        : []),
      ...(!isEqual && differences.length === 0 ? ['Only the order of fields differs'] : []),
    ],
  };
}

interface Comparison {
  readonly asOf: string | null;
  readonly isEqual: boolean;
  readonly differences: readonly JsonDifference[];
}

interface Outcome extends Comparison {
  /** False: there was nothing to compare with. */
  readonly isComputed: boolean;
  readonly notes: readonly string[];
}

async function comparisonOf(
  deps: SnapshotDeps,
  id: number,
  stored: SnapshotTexts,
  from: ReproduceQuery['from'],
): Promise<Outcome> {
  const bundle = readBundle(stored.bundle);
  if (isUnreadable(bundle)) {
    const places = bundle.differences.map(({ path }) => path);
    deps.log.warn({ snapshot: id, places }, 'the bundle of a snapshot cannot be read');
    return notComputed(bundle.differences, bundle.note);
  }
  try {
    const comparison =
      from === 'bundle'
        ? fromBundle(bundle, stored.result)
        : await fromStore(deps, bundle, stored.result);
    return { ...comparison, isComputed: true, notes: [] };
  } catch (error) {
    // Of these the snapshot is not the cause.
    if (error instanceof DomainError || isUnavailable(error) || isContention(error)) throw error;
    // Damage deep in a bundle and a fault of the engine look alike, so neither passes unseen.
    deps.log.error({ snapshot: id, from, err: error }, 'a snapshot cannot be computed anew');
    return notComputed(
      differencesOf(parsed(stored.result), undefined, 'result'),
      `Computing from its bundle failed, so there is nothing to compare with: the bundle is damaged, or engine ${ENGINE_VERSION} has a fault. The log of the server has the error; the stored result is not touched by that`,
    );
  }
}

const notComputed = (differences: readonly JsonDifference[], note: string): Outcome => ({
  asOf: null,
  isEqual: false,
  differences,
  isComputed: false,
  notes: [note],
});

function fromBundle(bundle: StoredBundle, result: string): Comparison {
  const recomputed = resultText(bundle);
  return {
    asOf: bundle.sourced.asOf,
    isEqual: recomputed === result,
    differences: differencesOf(parsed(result), JSON.parse(recomputed), 'result'),
  };
}

async function fromStore(
  deps: SnapshotDeps,
  bundle: StoredBundle,
  result: string,
): Promise<Comparison> {
  const { experiment, sourced } = bundle;
  const { answer: given, asOf } = await askAgain(deps, bundle);
  const answer = throughJson(given);
  // The time of asking stays as it was: it must differ, and says nothing of the data.
  const recomputed = resultText({ ...bundle, sourced: { ...sourced, answer } });
  const differences = [
    ...statisticsDifferences(experiment.variants, sourced.answer, answer),
    ...differencesOf(parsed(result), JSON.parse(recomputed), 'result', isSameSum),
  ];
  return { asOf, isEqual: differences.length === 0, differences };
}
