import { jsonTextArray, plainArray, textArray } from '../../platform/array-literal.ts';
import type { Db } from '../../platform/postgres.ts';

/** An event as stored. `ts` is RFC 3339 UTC text with six decimals; `properties` is JSON text. */
export interface EventRow {
  readonly eventId: string;
  readonly ts: string;
  readonly userId: string;
  readonly type: string;
  readonly value: number | null;
  readonly properties: string;
  readonly experimentId: number | null;
}

// One prepared statement for any number of rows. RETURNING names what is new; what is missing was
// there before.
const INSERT_EVENTS = {
  name: 'insert_events',
  text: `
    INSERT INTO events (event_id, ts, user_id, type, value, properties, experiment_id)
    SELECT * FROM unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::text[], $5::float8[],
                         $6::jsonb[], $7::int[])
    ON CONFLICT DO NOTHING
    RETURNING event_id, ts`,
};

/** Names an event: the key of the table. */
const eventKey = (eventId: string, ts: string): string => eventId + ts;

/** The parameters of {@link INSERT_EVENTS}, columns of the rows in the order given. */
function toColumns(rows: readonly EventRow[]): readonly unknown[] {
  return [
    plainArray(rows.map((row) => row.eventId)),
    plainArray(rows.map((row) => row.ts)),
    textArray(rows.map((row) => row.userId)),
    textArray(rows.map((row) => row.type)),
    plainArray(rows.map((row) => row.value)),
    jsonTextArray(rows.map((row) => row.properties)),
    plainArray(rows.map((row) => row.experimentId)),
  ];
}

/**
 * Inserts events that are not there yet, in key order, so that two groups with common rows never
 * wait for each other in a circle.
 *
 * @param rows with distinct keys, in ascending order of `eventId`, then `ts`
 * @returns of each row whether this call inserted it
 */
export async function insertEvents(db: Db, rows: readonly EventRow[]): Promise<readonly boolean[]> {
  const result = await db.query<{ event_id: string; ts: string }>(INSERT_EVENTS, toColumns(rows));
  if (result.rows.length === rows.length) return rows.map(() => true);
  const inserted = new Set(
    result.rows.map((row) => eventKey(row.event_id, fromTimestamptz(row.ts))),
  );
  return rows.map((row) => inserted.has(eventKey(row.eventId, row.ts)));
}

/** PostgreSQL's text of a timestamptz in a UTC session, as the RFC 3339 text with six decimals. */
function fromTimestamptz(text: string): string {
  const [seconds = '', fraction = ''] = text.slice(0, -3).split('.');
  return `${seconds.replace(' ', 'T')}.${fraction.padEnd(6, '0')}Z`;
}
