import type { SnapshotSummary } from '@assay/contract';
import { must } from '../../errors.ts';
import { type Db, rfc3339 } from '../../platform/postgres.ts';

/** The texts of a snapshot, exactly as they were stored. */
export interface SnapshotTexts {
  readonly bundle: string;
  readonly result: string;
}

/** What makes a new snapshot; `as_of` RFC 3339 or null. */
export type NewSnapshot = Omit<SnapshotSummary, 'id' | 'created_at'> & SnapshotTexts;

type StoredSnapshot = SnapshotSummary & SnapshotTexts;

interface Row extends Omit<SnapshotSummary, 'sha256'> {
  readonly bundle_sha256: string;
  readonly result_sha256: string;
}

const SUMMARY = `id, experiment_id, name, ${rfc3339('created_at')} AS created_at, created_by,
  engine_version, source, ${rfc3339('as_of')} AS as_of, bundle_sha256, result_sha256`;

export async function insertSnapshot(db: Db, snapshot: NewSnapshot): Promise<SnapshotSummary> {
  const { rows } = await db.query<Row>(
    `INSERT INTO result_snapshots (experiment_id, name, created_by, engine_version, source, as_of,
       bundle, result, bundle_sha256, result_sha256)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
     RETURNING ${SUMMARY}`,
    [
      snapshot.experiment_id,
      snapshot.name,
      snapshot.created_by,
      snapshot.engine_version,
      snapshot.source,
      snapshot.as_of,
      snapshot.bundle,
      snapshot.result,
      snapshot.sha256.bundle,
      snapshot.sha256.result,
    ],
  );
  return toSummary(must(rows[0], 'an insert returns its row'));
}

/** Snapshots that an experiment has. */
export async function countSnapshots(db: Db, experimentId: number): Promise<number> {
  const { rows } = await db.query<{ count: number }>(
    'SELECT count(*) FROM result_snapshots WHERE experiment_id = $1',
    [experimentId],
  );
  return must(rows[0], 'a count has one row').count;
}

/** Snapshots of an experiment from the newest on, those with an id below `before`. */
export async function listSnapshots(
  db: Db,
  experimentId: number,
  limit: number,
  before: number | null,
): Promise<readonly SnapshotSummary[]> {
  const { rows } = await db.query<Row>(
    `SELECT ${SUMMARY} FROM result_snapshots
     WHERE experiment_id = $1 AND ($3::bigint IS NULL OR id < $3)
     ORDER BY id DESC LIMIT $2`,
    [experimentId, limit, before],
  );
  return rows.map(toSummary);
}

/** A snapshot with its texts; undefined when the experiment has none of this id. */
export async function findSnapshot(
  db: Db,
  experimentId: number,
  id: number,
): Promise<StoredSnapshot | undefined> {
  const { rows } = await db.query<Row & SnapshotTexts>(
    `SELECT ${SUMMARY}, bundle, result FROM result_snapshots WHERE experiment_id = $1 AND id = $2`,
    [experimentId, id],
  );
  const [row] = rows;
  return row === undefined
    ? undefined
    : { ...toSummary(row), bundle: row.bundle, result: row.result };
}

/** Deletes a snapshot; undefined when the experiment has none of this id. */
export async function deleteSnapshot(
  db: Db,
  experimentId: number,
  id: number,
): Promise<SnapshotSummary | undefined> {
  const { rows } = await db.query<Row>(
    `DELETE FROM result_snapshots WHERE experiment_id = $1 AND id = $2 RETURNING ${SUMMARY}`,
    [experimentId, id],
  );
  return rows[0] === undefined ? undefined : toSummary(rows[0]);
}

const toSummary = (row: Row): SnapshotSummary => ({
  id: row.id,
  experiment_id: row.experiment_id,
  name: row.name,
  created_at: row.created_at,
  created_by: row.created_by,
  engine_version: row.engine_version,
  source: row.source,
  as_of: row.as_of,
  sha256: { bundle: row.bundle_sha256, result: row.result_sha256 },
});
