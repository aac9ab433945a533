import type { EventsResponse } from '@assay/contract';
import type { Deps } from '../../deps.ts';
import { acceptedWindow } from '../../retention.ts';
import { quarantine, type RejectedItem } from '../quarantine/service.ts';
import { findInSnapshot, type LiveSnapshot } from '../snapshot/snapshot.ts';
import { checkEvent } from './ingest.ts';
import type { EventRow } from './store.ts';
import type { EventWriter } from './writer.ts';

/** What taking events needs of a process. */
export interface EventDeps extends Pick<Deps, 'db' | 'now' | 'config' | 'metrics'> {
  readonly snapshot: LiveSnapshot;
  readonly events: EventWriter;
}

/**
 * Stores the good events of a request and says of each item what became of it. Resolves after all
 * of it, the quarantine of the bad ones included, was committed.
 */
export async function ingestEvents(
  deps: EventDeps,
  items: readonly unknown[],
): Promise<EventsResponse> {
  const window = acceptedWindow(deps.now(), deps.config.retentionMonths);
  const experimentId = (ref: string) => findInSnapshot(deps.snapshot, ref)?.id;
  const checked = items.map((item) => checkEvent(item, window, experimentId));

  const rows: EventRow[] = [];
  const rejects: RejectedItem[] = [];
  checked.forEach((check, index) => {
    if (check.kind === 'row') rows.push(check.row);
    else rejects.push({ item: items[index], rejection: check.rejection });
  });
  const [isNew] = await Promise.all([
    rows.length === 0 ? [] : deps.events.submit(rows),
    quarantine(deps, 'event', rejects),
  ]);

  let rowIndex = 0;
  let accepted = 0;
  const results = checked.map((check, index): EventsResponse['results'][number] => {
    if (check.kind === 'rejected') {
      return { index, event_id: check.eventId, status: 'rejected', ...check.rejection };
    }
    const status = isNew[rowIndex++] ? 'accepted' : 'duplicate';
    if (status === 'accepted') accepted++;
    return { index, event_id: check.row.eventId, status };
  });
  const duplicates = rows.length - accepted;
  const { ingestItems } = deps.metrics;
  ingestItems.inc({ kind: 'event', status: 'accepted' }, accepted);
  ingestItems.inc({ kind: 'event', status: 'duplicate' }, duplicates);
  ingestItems.inc({ kind: 'event', status: 'rejected' }, rejects.length);
  return { accepted, duplicates, rejected: rejects.length, results };
}
