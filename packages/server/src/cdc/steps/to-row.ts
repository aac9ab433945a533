import { rowVersion } from '../lsn.ts';
import type { Change } from '../source.ts';

/** What becomes of one change. Nothing is thrown: a row that cannot be taken is an outcome. */
export type Step =
  /** A line of JSONEachRow for a table of ClickHouse. */
  | { readonly kind: 'row'; readonly table: SinkTable; readonly line: string }
  | { readonly kind: 'drop' }
  | { readonly kind: 'dead_letter'; readonly reason: string };

/** PostgreSQL's text of a value as JSON; undefined when the column of ClickHouse cannot hold it. */
type Encode = (text: string | null) => string | undefined;

const text: Encode = (value) => (value === null ? undefined : JSON.stringify(value));

/** The digits pass unchanged. Out of range, ClickHouse would wrap around without a word. */
const unsigned =
  (max: number): Encode =>
  (value) =>
    value !== null && /^\d{1,10}$/.test(value) && Number(value) <= max ? value : undefined;

/** JSON has no NaN and no infinity. */
const float: Encode = (value) =>
  value !== null && /^-?\d+(\.\d+)?(e[+-]?\d+)?$/.test(value) ? value : undefined;

const nullable =
  (encode: Encode): Encode =>
  (value) =>
    value === null ? 'null' : encode(value);

/** In UTC, as the session of the source is; within the years that DateTime64 has. */
const instant: Encode = (value) => {
  const match = /^((?:19|2[0-2])\d\d-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d{1,6})?)\+00$/.exec(
    value ?? '',
  );
  return match === null ? undefined : `"${match[1]}T${match[2]}Z"`;
};

const UINT16_MAX = 65_535;
const UINT32_MAX = 4_294_967_295;

const ENCODERS = {
  events: {
    event_id: text,
    type: text,
    user_id: text,
    ts: instant,
    value: nullable(float),
    properties: text,
    experiment_id: nullable(unsigned(UINT32_MAX)),
  },
  assignments: {
    experiment_id: unsigned(UINT32_MAX),
    user_id: text,
    variant_id: unsigned(UINT32_MAX),
    version: unsigned(UINT32_MAX),
    source: text,
    bucket: unsigned(UINT16_MAX),
    assigned_at: instant,
    context: text,
  },
} as const satisfies Record<string, Record<string, Encode>>;

export type SinkTable = keyof typeof ENCODERS;

/** Columns that both stores have, in order; ClickHouse adds `_version` and `_deleted`. */
export const SINK_COLUMNS: Readonly<Record<SinkTable, readonly string[]>> = {
  events: Object.keys(ENCODERS.events),
  assignments: Object.keys(ENCODERS.assignments),
};

const COLUMNS: Readonly<Record<SinkTable, readonly (readonly [string, Encode])[]>> = {
  events: Object.entries(ENCODERS.events),
  assignments: Object.entries(ENCODERS.assignments),
};

/**
 * A change as a row of ClickHouse: a pure function of the row and its LSN, so that a replay
 * writes the same row again.
 *
 * @param epoch of the source database, see {@link rowVersion}
 */
export function toRow(change: Change, epoch: number): Step {
  switch (change.table) {
    case 'events':
      if (change.operation === 'insert') return encode('events', change, epoch);
      // What an update changed, or the key that ClickHouse sorts by, is not in the stream.
      return deadLetter(`events are append-only, and this is a ${change.operation}`);
    case 'assignments':
      return encode('assignments', change, epoch);
    case 'cdc_heartbeat':
      return { kind: 'drop' };
    default:
      return deadLetter(`table ${change.table} has no place in ClickHouse`);
  }
}

function encode(table: SinkTable, change: Change, epoch: number): Step {
  if (change.unsent.length > 0) {
    return deadLetter(`the value of ${change.unsent.join(', ')} was not sent`);
  }
  const isDeleted = change.operation === 'delete';
  let line = '{';
  for (const [column, encodeValue] of COLUMNS[table]) {
    const value = change.row[column];
    // A deleted row has its key alone; ClickHouse fills the rest with defaults.
    if (value === undefined && isDeleted) continue;
    if (value === undefined) return deadLetter(`column ${column} is missing`);
    const encoded = encodeValue(value);
    if (encoded === undefined) {
      return deadLetter(`${column} is ${value}, which ClickHouse cannot hold`);
    }
    line += `"${column}":${encoded},`;
  }
  // Not through a number: versions have 64 bits.
  line += `"_version":${rowVersion(epoch, change.lsn)},"_deleted":${isDeleted ? 1 : 0}}`;
  return { kind: 'row', table, line };
}

function deadLetter(reason: string): Step {
  return { kind: 'dead_letter', reason };
}
