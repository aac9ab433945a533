import { createHash } from 'node:crypto';
import type { Db } from '../../platform/postgres.ts';

/** An item that was refused, and why. */
export interface QuarantineRow {
  readonly kind: 'event' | 'exposure';
  readonly code: string;
  readonly message: string;
  /** The experiment that the item names, if it names one. */
  readonly experiment: string | null;
  readonly item: unknown;
}

/** Longer items are cut: quarantine is for finding out what a client sends, not for storage. */
const PAYLOAD_CHARACTERS_MAX = 16_384;

/** Keeps refused items. The same item refused again for the same reason is one row. */
export async function insertQuarantined(db: Db, rows: readonly QuarantineRow[]): Promise<void> {
  const payloads = rows.map(({ item }) => toPayload(item));
  const fingerprints = rows.map(({ kind, code }, index) =>
    createHash('sha256').update(`${kind}\n${code}\n${payloads[index]}`).digest(),
  );
  await db.query(
    `INSERT INTO quarantine (kind, code, message, experiment, payload, fingerprint)
     SELECT DISTINCT ON (fingerprint) kind, code, message, experiment, payload, fingerprint
     FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bytea[])
       AS u (kind, code, message, experiment, payload, fingerprint)
     ORDER BY fingerprint
     ON CONFLICT (fingerprint) DO NOTHING`,
    [
      rows.map(({ kind }) => kind),
      rows.map(({ code }) => code),
      rows.map(({ message }) => message),
      rows.map(({ experiment }) => experiment),
      payloads,
      fingerprints,
    ],
  );
}

/** Deletes refused items older than that, the oldest first and at most `limit`; answers how many. */
export async function deleteQuarantined(db: Db, days: number, limit: number): Promise<number> {
  const { rowCount } = await db.query(
    `DELETE FROM quarantine WHERE id IN (
       SELECT id FROM quarantine WHERE received_at < now() - make_interval(days => $1)
       ORDER BY id LIMIT $2)`,
    [days, limit],
  );
  return rowCount ?? 0;
}

function toPayload(item: unknown): string {
  // JSON.stringify escapes NUL and lone surrogates; a raw NDJSON line is text as it came.
  const json = typeof item === 'string' ? item : (JSON.stringify(item) ?? 'null');
  return json.slice(0, PAYLOAD_CHARACTERS_MAX).replaceAll('\0', '\uFFFD').toWellFormed();
}
