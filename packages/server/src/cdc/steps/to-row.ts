import { rowVersion } from '../lsn.ts';
import type { Change } from '../source.ts';

/** What becomes of one change. Nothing is thrown: a row that cannot be taken is an outcome. */
export type Step =
  /** A line of JSONEachRow for a table of ClickHouse. */
  | { readonly kind: 'row'; readonly table: SinkTable; readonly line: string }
  | { readonly kind: 'drop' }
  | { readonly kind: 'dead_letter'; readonly reason: string };

export const SINK_COLUMNS = {
  events: ['event_id', 'type', 'user_id', 'ts', 'value', 'properties', 'experiment_id'],
  assignments: [
    'experiment_id',
    'user_id',
    'variant_id',
    'version',
    'source',
    'bucket',
    'assigned_at',
    'context',
  ],
} as const;
export type SinkTable = keyof typeof SINK_COLUMNS;

/** Columns whose PostgreSQL text is a JSON number as it stands. */
const NUMBERS = new Set(['value', 'experiment_id', 'variant_id', 'version', 'bucket']);
const TIMES = new Set(['ts', 'assigned_at']);

/**
 * A change as a row of ClickHouse: a pure function of the row and its LSN, so that a replay
 * writes the same row again.
 *
 * @param epoch of the source database, see {@link rowVersion}
 */
export function toRow(change: Change, epoch: number): Step {
  switch (change.table) {
    case 'events':
      if (change.operation === 'insert') return encode('events', change, epoch, false);
      return deadLetter(`events are append-only, and this is a ${change.operation}`);
    case 'assignments':
      return encode('assignments', change, epoch, change.operation === 'delete');
    case 'cdc_heartbeat':
      return { kind: 'drop' };
    default:
      return deadLetter(`table ${change.table} has no place in ClickHouse`);
  }
}

function encode(table: SinkTable, change: Change, epoch: number, isDeleted: boolean): Step {
  if (change.unsent.length > 0) {
    return deadLetter(`the value of ${change.unsent.join(', ')} was not sent`);
  }
  const parts: string[] = [];
  for (const column of SINK_COLUMNS[table]) {
    const value = change.row[column];
    // A deleted row has its key alone; ClickHouse fills the rest with defaults.
    if (value === undefined) {
      if (isDeleted) continue;
      return deadLetter(`column ${column} is missing`);
    }
    const encoded = encodeValue(column, value);
    if (encoded === undefined)
      return deadLetter(`${column} is ${value}, which is not a finite number`);
    parts.push(`"${column}":${encoded}`);
  }
  // Not through a number: versions have 64 bits.
  parts.push(`"_version":${rowVersion(epoch, change.lsn)}`, `"_deleted":${isDeleted ? 1 : 0}`);
  return { kind: 'row', table, line: `{${parts.join(',')}}` };
}

function encodeValue(column: string, value: string | null): string | undefined {
  if (value === null) return 'null';
  // The digits pass unchanged; JSON has no NaN and no infinity.
  if (NUMBERS.has(column)) return /^-?\d/.test(value) ? value : undefined;
  if (TIMES.has(column)) return `"${value.replace(' ', 'T').replace(/\+00$/, 'Z')}"`;
  return JSON.stringify(value);
}

function deadLetter(reason: string): Step {
  return { kind: 'dead_letter', reason };
}
