import { compareText } from '../../compare-text.ts';
import type { Deps } from '../../deps.ts';
import { createGroupCommit, type GroupCommit } from '../../platform/group-commit.ts';
import { isDataError } from '../../platform/postgres.ts';
import { type EventRow, insertEvents } from './store.ts';

/** Whether each row of a request was new. */
export type EventWriter = GroupCommit<readonly EventRow[], readonly boolean[]>;

/** Joins the rows of many requests into few transactions. */
export function createEventWriter(deps: Pick<Deps, 'db' | 'metrics'>): EventWriter {
  return createGroupCommit({
    name: 'events',
    maxRows: 2_000,
    lingerMs: 1,
    maxConcurrent: 3,
    maxWaitingRows: 50_000,
    weight: (rows) => rows.length,
    isItemFault: isDataError,
    metrics: deps.metrics,
    commit: (requests) => commitEvents(deps, requests),
  });
}

async function commitEvents(
  { db }: Pick<Deps, 'db'>,
  requests: readonly (readonly EventRow[])[],
): Promise<readonly (readonly boolean[])[]> {
  // A stable sort: of equal events the first that was sent comes first.
  const ordered = requests.flat().sort(compareKeys);
  const distinct = ordered.filter((row, index) => !isSameKey(row, ordered[index - 1]));
  const inserted = await insertEvents(db, distinct);
  if (distinct.length === ordered.length && !inserted.includes(false)) {
    return requests.map((rows) => rows.map(() => true));
  }
  // Of equal events in one group only the very object that was written is new.
  const isNew = new Set(distinct.filter((_, index) => inserted[index]));
  return requests.map((rows) => rows.map((row) => isNew.has(row)));
}

const compareKeys = (a: EventRow, b: EventRow): number =>
  compareText(a.eventId, b.eventId) || compareText(a.ts, b.ts);

const isSameKey = (a: EventRow, b: EventRow | undefined): boolean =>
  b !== undefined && a.eventId === b.eventId && a.ts === b.ts;
