import { LRUCache } from 'lru-cache';
import type { Deps } from '../../deps.ts';
import { createGroupCommit, type GroupCommit } from '../../platform/group-commit.ts';
import {
  type AssignmentRow,
  assignmentKey,
  findAssignments,
  insertDecided,
  type NewAssignment,
} from './store.ts';

const CACHE_ENTRIES_MAX = 200_000;
/** How long "this user has no assignment" is believed, in milliseconds. */
const ABSENT_TTL_MS = 5_000;

/** What a lookup of a user's stored assignment found. */
export type Stored = AssignmentRow | 'absent';

/** What persisting a decided assignment came to. */
type Persisted =
  /** The winner of whatever race there was, and whether this very decision won it. */
  | { readonly row: AssignmentRow; readonly isNew: boolean }
  /** The experiment has changed since the decision: decide again. */
  | 'outdated';

/** The process's way to stored assignments: a cache in front of two group commits. */
export interface AssignmentWriter {
  readonly cached: (experimentId: number, userId: string) => Stored | undefined;
  /** To be called when something else than this writer changed what is stored. */
  readonly forget: (experimentId: number, userId: string) => void;
  readonly find: (experimentId: number, userId: string) => Promise<Stored>;
  readonly persist: (row: NewAssignment) => Promise<Persisted>;
}

/**
 * A stored assignment never changes its variant, so what another process does makes the cache miss
 * at most an earlier `assigned_at`, and a new row for as long as "has none" is believed.
 */
export function createAssignmentWriter(deps: Pick<Deps, 'db' | 'metrics'>): AssignmentWriter {
  const { db, metrics } = deps;
  const cache = new LRUCache<string, Stored>({ max: CACHE_ENTRIES_MAX });
  const remember = (row: AssignmentRow): void => {
    cache.set(assignmentKey(row.experimentId, row.userId), row);
  };

  const writes: GroupCommit<NewAssignment, Persisted> = createGroupCommit({
    name: 'assignments',
    maxRows: 1_000,
    lingerMs: 1,
    maxConcurrent: 2,
    maxWaitingRows: 20_000,
    isItemFault: () => false,
    metrics,
    commit: async (rows) => {
      const results = await commitAssignments(deps, rows);
      for (const result of results) if (result !== 'outdated') remember(result.row);
      return results;
    },
  });

  type Key = Pick<AssignmentRow, 'experimentId' | 'userId'>;
  const reads: GroupCommit<Key, Stored> = createGroupCommit({
    name: 'assignment_reads',
    maxRows: 1_000,
    lingerMs: 0,
    maxConcurrent: 2,
    maxWaitingRows: 20_000,
    isItemFault: () => false,
    metrics,
    commit: async (keys) => {
      const found = await findAssignments(db, keys);
      return keys.map(({ experimentId, userId }) => {
        const key = assignmentKey(experimentId, userId);
        const stored = found.get(key) ?? 'absent';
        cache.set(key, stored, stored === 'absent' ? { ttl: ABSENT_TTL_MS } : {});
        return stored;
      });
    },
  });

  return {
    cached: (experimentId, userId) => cache.get(assignmentKey(experimentId, userId)),
    forget: (experimentId, userId) => {
      cache.delete(assignmentKey(experimentId, userId));
    },
    find: (experimentId, userId) => reads.submit({ experimentId, userId }),
    persist: writes.submit,
  };
}

/**
 * Writes decided assignments and answers the winners. The winners of lost races are read by a
 * second statement, since the first one's snapshot may be older than the row that beat it.
 */
async function commitAssignments(
  { db }: Pick<Deps, 'db'>,
  rows: readonly NewAssignment[],
): Promise<readonly Persisted[]> {
  // Of equal keys in one group the first is tried; the others read what became of it.
  const tried = new Map<string, NewAssignment>();
  for (const row of rows) {
    const key = assignmentKey(row.experimentId, row.userId);
    if (!tried.has(key)) tried.set(key, row);
  }
  const inserted = await insertDecided(db, [...tried.values()]);
  const lost = [...tried].flatMap(([key, row]) => (inserted.has(key) ? [] : [row]));
  const winners =
    lost.length === 0 ? new Map<string, AssignmentRow>() : await findAssignments(db, lost);
  return rows.map((row) => {
    const key = assignmentKey(row.experimentId, row.userId);
    const first = tried.get(key);
    if (first !== undefined && inserted.has(key)) {
      // What is remembered of 200,000 users must not hold their contexts.
      const { context: _context, ...stored } = first;
      return { row: stored, isNew: first === row };
    }
    const winner = winners.get(key);
    return winner === undefined ? 'outdated' : { row: winner, isNew: false };
  });
}
