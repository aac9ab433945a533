import type { Deps } from '../../deps.ts';
import { createGroupCommit, type GroupCommit } from '../../platform/group-commit.ts';
import { isDataError } from '../../platform/postgres.ts';
import { type EventRow, eventKey, insertEvents } from './store.ts';

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
  const distinct = new Map<string, EventRow>();
  for (const rows of requests) {
    for (const row of rows) {
      const key = eventKey(row.eventId, row.ts);
      if (!distinct.has(key)) distinct.set(key, row);
    }
  }
  const ordered = [...distinct.keys()].sort().map((key) => distinct.get(key) as EventRow);
  const inserted = await insertEvents(db, ordered);
  // Of equal events in one group only the very object that was written is new.
  return requests.map((rows) =>
    rows.map((row) => {
      const key = eventKey(row.eventId, row.ts);
      return inserted.has(key) && distinct.get(key) === row;
    }),
  );
}
