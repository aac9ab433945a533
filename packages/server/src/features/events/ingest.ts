import { EventInput } from '@assay/contract';
import { formatInstant, uuidV7Time } from '@assay/core';
import type { TimeWindow } from '../../retention.ts';
import { invalidItem, outOfWindow, type Rejection, rejectField } from '../quarantine/service.ts';
import type { EventRow } from './store.ts';

/** What one item of a request comes to, before anything is stored. */
export type Checked =
  | { readonly kind: 'row'; readonly row: EventRow }
  | { readonly kind: 'rejected'; readonly eventId: string | null; readonly rejection: Rejection };

/**
 * Checks one item and makes a row of it. Pure: the row is a function of the item alone, never of
 * its arrival, so that the same event sent again, even months later, is the same row.
 *
 * @param experimentId answers the id of the experiment that a reference names
 */
export function checkEvent(
  item: unknown,
  window: TimeWindow,
  experimentId: (ref: string) => number | undefined,
): Checked {
  const parsed = EventInput.safeParse(item);
  if (!parsed.success) return rejected(eventIdOf(item), invalidItem(parsed.error));
  const { event_id, user_id, type, timestamp, value, properties, experiment } = parsed.data;
  const micros = timestamp ?? uuidV7Time(event_id);
  if (micros === undefined) {
    return rejected(
      event_id,
      rejectField('timestamp_required', 'timestamp', 'is needed unless event_id is a UUIDv7'),
    );
  }
  if (micros < window.from || micros > window.to) {
    return rejected(event_id, outOfWindow(window));
  }
  let scope: number | null = null;
  if (experiment !== undefined && experiment !== null) {
    const id = experimentId(experiment);
    if (id === undefined) {
      return rejected(
        event_id,
        rejectField('unknown_experiment', 'experiment', `there is no experiment "${experiment}"`),
      );
    }
    scope = id;
  }
  return {
    kind: 'row',
    row: {
      eventId: event_id,
      ts: formatInstant(micros),
      userId: user_id,
      type,
      value: value ?? null,
      properties: properties ?? '{}',
      experimentId: scope,
    },
  };
}

function rejected(eventId: string | null, rejection: Rejection): Checked {
  return { kind: 'rejected', eventId, rejection };
}

function eventIdOf(item: unknown): string | null {
  if (typeof item !== 'object' || item === null || !('event_id' in item)) return null;
  return typeof item.event_id === 'string' ? item.event_id.slice(0, 64) : null;
}
