import type { MetricDefinition } from '@assay/contract';
import { must } from '../../errors.ts';
import { type Db, rfc3339 } from '../../platform/postgres.ts';
import type { MetricRecord, MetricVersionRecord } from './metric.ts';

interface Row {
  readonly id: number;
  readonly key: string;
  readonly version: number;
  readonly definition: MetricDefinition;
  readonly created_at: string;
  readonly updated_at: string;
}

const COLUMNS = `id, key, version, definition, ${rfc3339('created_at')} AS created_at,
  ${rfc3339('updated_at')} AS updated_at`;

/** A definition is kept by the statement that makes it current, so none can be lost. */
const changed = (change: string): string => `
  WITH changed AS (${change} RETURNING *),
    kept AS (INSERT INTO metric_versions (metric_id, version, definition)
             SELECT id, version, definition FROM changed)
  SELECT ${COLUMNS} FROM changed`;

/** Which metrics are looked for: those of the catalogue, or also those that were deleted. */
export type Presence = 'present' | 'deleted_too';

/** Inserts a metric; undefined when the key is taken. One that was deleted comes back. */
export async function insertMetric(
  db: Db,
  definition: MetricDefinition,
): Promise<MetricRecord | undefined> {
  const { rows } = await db.query<Row>(
    changed(
      `INSERT INTO metrics (key, definition) VALUES ($1, $2)
       ON CONFLICT (key) DO UPDATE SET version = metrics.version + 1, deleted_at = NULL,
         definition = excluded.definition, created_at = now(), updated_at = now()
       WHERE metrics.deleted_at IS NOT NULL`,
    ),
    [definition.key, JSON.stringify(definition)],
  );
  return rows[0] === undefined ? undefined : fromRow(rows[0]);
}

/** Gives a metric its next version. */
export async function updateMetric(
  db: Db,
  id: number,
  definition: MetricDefinition,
): Promise<MetricRecord> {
  const { rows } = await db.query<Row>(
    changed(
      `UPDATE metrics SET definition = $2, version = version + 1, updated_at = now() WHERE id = $1`,
    ),
    [id, JSON.stringify(definition)],
  );
  return fromRow(must(rows[0], 'the row is locked'));
}

/** Takes a metric out of the catalogue; its versions stay. */
export async function deleteMetric(db: Db, id: number): Promise<void> {
  await db.query('UPDATE metrics SET deleted_at = now() WHERE id = $1', [id]);
}

/** By id (digits) or key; undefined if there is none. */
export async function findMetric(
  db: Db,
  ref: string,
  presence: Presence = 'present',
): Promise<MetricRecord | undefined> {
  return findBy(db, ref, presence === 'present' ? 'AND deleted_at IS NULL' : '');
}

/** A metric of the catalogue by id or key, held until the transaction ends. */
export async function lockMetric(db: Db, ref: string): Promise<MetricRecord | undefined> {
  return findBy(db, ref, 'AND deleted_at IS NULL FOR UPDATE');
}

async function findBy(db: Db, ref: string, rest: string): Promise<MetricRecord | undefined> {
  const byId = /^\d/.test(ref);
  if (byId && Number(ref) > 2_147_483_647) return undefined;
  const { rows } = await db.query<Row>(
    `SELECT ${COLUMNS} FROM metrics WHERE ${byId ? 'id = $1::int' : 'key = $1'} ${rest}`,
    [ref],
  );
  return rows[0] === undefined ? undefined : fromRow(rows[0]);
}

/** Metrics from the newest on, those with an id below `before`. */
export async function listMetrics(
  db: Db,
  filter: {
    /** A part of the key or the name. */
    readonly query: string | null;
    readonly before: number | null;
    readonly limit: number;
  },
): Promise<readonly MetricRecord[]> {
  const { rows } = await db.query<Row>(
    `SELECT ${COLUMNS} FROM metrics
     WHERE deleted_at IS NULL
       AND ($1::text IS NULL
            OR strpos(lower(key || ' ' || (definition->>'name')), lower($1)) > 0)
       AND ($2::bigint IS NULL OR id < $2)
     ORDER BY id DESC LIMIT $3`,
    [filter.query, filter.before, filter.limit],
  );
  return rows.map(fromRow);
}

/** Those of the keys that the catalogue has, in no order. */
export async function findMetrics(
  db: Db,
  keys: readonly string[],
): Promise<readonly MetricRecord[]> {
  const { rows } = await db.query<Row>(
    `SELECT ${COLUMNS} FROM metrics WHERE key = ANY($1) AND deleted_at IS NULL`,
    [keys],
  );
  return rows.map(fromRow);
}

/** What the keys meant at a time, RFC 3339, also those that were deleted since; `updatedAt` is of that version. */
export async function findMetricsAt(
  db: Db,
  keys: readonly string[],
  time: string,
): Promise<readonly MetricRecord[]> {
  const { rows } = await db.query<Row>(
    `SELECT m.id, m.key, v.version, v.definition, ${rfc3339('m.created_at')} AS created_at,
       ${rfc3339('v.created_at')} AS updated_at
     FROM metrics m CROSS JOIN LATERAL (
       SELECT version, definition, created_at FROM metric_versions
       WHERE metric_id = m.id AND created_at <= $2 ORDER BY version DESC LIMIT 1) v
     WHERE m.key = ANY($1)`,
    [keys, time],
  );
  return rows.map(fromRow);
}

/** The latest versions of metrics, at most so many of each, oldest first; also of those that were deleted. */
export async function listVersionsOf(
  db: Db,
  keys: readonly string[],
  max: number,
): Promise<readonly (MetricVersionRecord & { readonly key: string })[]> {
  const { rows } = await db.query<Pick<Row, 'key' | 'version' | 'definition' | 'created_at'>>(
    `SELECT m.key, v.version, v.definition, ${rfc3339('v.created_at')} AS created_at
     FROM metrics m CROSS JOIN LATERAL (
       SELECT version, definition, created_at FROM metric_versions
       WHERE metric_id = m.id ORDER BY version DESC LIMIT $2) v
     WHERE m.key = ANY($1) ORDER BY m.key, v.version`,
    [keys, max],
  );
  return rows.map(({ created_at, ...row }) => ({ ...row, createdAt: created_at }));
}

/** Those of the keys that the catalogue has; none of them is deleted before the transaction ends. */
export async function holdMetrics(db: Db, keys: readonly string[]): Promise<readonly string[]> {
  const { rows } = await db.query<{ key: string }>(
    `SELECT key FROM metrics WHERE key = ANY($1) AND deleted_at IS NULL ORDER BY key FOR KEY SHARE`,
    [keys],
  );
  return rows.map(({ key }) => key);
}

/** Versions of a metric from the newest on, those below `before`. */
export async function listMetricVersions(
  db: Db,
  metricId: number,
  limit: number,
  before: number | null,
): Promise<readonly MetricVersionRecord[]> {
  const { rows } = await db.query<Pick<Row, 'version' | 'definition' | 'created_at'>>(
    `SELECT version, definition, ${rfc3339('created_at')} AS created_at FROM metric_versions
     WHERE metric_id = $1 AND ($3::bigint IS NULL OR version < $3)
     ORDER BY version DESC LIMIT $2`,
    [metricId, limit, before],
  );
  return rows.map(({ created_at, ...row }) => ({ ...row, createdAt: created_at }));
}

function fromRow({ created_at, updated_at, ...row }: Row): MetricRecord {
  return { ...row, createdAt: created_at, updatedAt: updated_at };
}
