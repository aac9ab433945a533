import type { Db } from '../../platform/postgres.ts';

/** A reported assignment; `assignedAt` is RFC 3339 UTC text with six decimals. */
export interface ExposureRow {
  readonly experimentId: number;
  readonly userId: string;
  readonly variantId: number;
  readonly version: number;
  readonly bucket: number;
  readonly assignedAt: string;
  readonly context: string;
}

/** What is stored of the users of a group. */
export interface StoredVariant {
  readonly experimentId: number;
  readonly userId: string;
  readonly variantId: number;
}

export interface ConflictRow extends StoredVariant {
  readonly reason: 'another_variant' | 'never_given';
  /** The variant that was reported; `variantId` is the stored one. */
  readonly reportedVariantId: number;
  readonly seenAt: string;
}

interface Row {
  readonly experiment_id: number;
  readonly user_id: string;
  readonly variant_id: number;
}

const toStored = (row: Row): StoredVariant => ({
  experimentId: row.experiment_id,
  userId: row.user_id,
  variantId: row.variant_id,
});

/** Says of the experiments that not all their assignments come from the hash. */
export async function markReported(db: Db, experimentIds: readonly number[]): Promise<void> {
  await db.query(
    'UPDATE experiments SET has_reported = true WHERE id = ANY($1::int[]) AND NOT has_reported',
    [experimentIds],
  );
}

/**
 * Inserts reported assignments where none exists, in key order.
 *
 * @param rows with distinct users per experiment, in ascending order of experiment and user
 * @returns what was inserted
 */
export async function insertReported(
  db: Db,
  rows: readonly ExposureRow[],
): Promise<readonly StoredVariant[]> {
  const result = await db.query<Row>(
    `INSERT INTO assignments
       (experiment_id, user_id, variant_id, version, source, bucket, assigned_at, context)
     SELECT e, u, v, n, 'reported', b, t, c
     FROM unnest($1::int[], $2::text[], $3::int[], $4::int[], $5::int[], $6::timestamptz[], $7::jsonb[])
       AS x (e, u, v, n, b, t, c)
     ON CONFLICT DO NOTHING
     RETURNING experiment_id, user_id, variant_id`,
    [
      rows.map((row) => row.experimentId),
      rows.map((row) => row.userId),
      rows.map((row) => row.variantId),
      rows.map((row) => row.version),
      rows.map((row) => row.bucket),
      rows.map((row) => row.assignedAt),
      rows.map((row) => row.context),
    ],
  );
  return result.rows.map(toStored);
}

/** Locks and answers the stored rows of users, in key order, so that no two groups deadlock. */
export async function lockStored(
  db: Db,
  rows: readonly Pick<ExposureRow, 'experimentId' | 'userId'>[],
): Promise<readonly StoredVariant[]> {
  const result = await db.query<Row>(
    `SELECT a.experiment_id, a.user_id, a.variant_id
     FROM assignments a
     JOIN unnest($1::int[], $2::text[]) AS x (e, u) ON a.experiment_id = x.e AND a.user_id = x.u
     ORDER BY a.experiment_id, a.user_id
     FOR UPDATE OF a`,
    [rows.map(({ experimentId }) => experimentId), rows.map(({ userId }) => userId)],
  );
  return result.rows.map(toStored);
}

/**
 * Moves `assigned_at` back to an earlier exposure, where the same variant is stored.
 *
 * @returns the rows that moved
 */
export async function moveAssignedAtBack(
  db: Db,
  rows: readonly ExposureRow[],
): Promise<readonly StoredVariant[]> {
  const result = await db.query<Row>(
    `UPDATE assignments a SET assigned_at = x.t
     FROM unnest($1::int[], $2::text[], $3::int[], $4::timestamptz[]) AS x (e, u, v, t)
     WHERE a.experiment_id = x.e AND a.user_id = x.u AND a.variant_id = x.v AND x.t < a.assigned_at
     RETURNING a.experiment_id, a.user_id, a.variant_id`,
    [
      rows.map((row) => row.experimentId),
      rows.map((row) => row.userId),
      rows.map((row) => row.variantId),
      rows.map((row) => row.assignedAt),
    ],
  );
  return result.rows.map(toStored);
}

/**
 * Keeps who was reported with another variant, since the earliest of such reports; the same report again
 * changes nothing.
 */
export async function insertConflicts(db: Db, rows: readonly ConflictRow[]): Promise<void> {
  await db.query(
    `INSERT INTO assignment_conflicts
       (experiment_id, user_id, reported_variant_id, stored_variant_id, reason, first_seen_at)
     SELECT DISTINCT ON (e, u, r) e, u, r, nullif(s, 0), w, t
     FROM unnest($1::int[], $2::text[], $3::int[], $4::int[], $5::text[], $6::timestamptz[])
       AS x (e, u, r, s, w, t)
     ORDER BY e, u, r, t
     ON CONFLICT (experiment_id, user_id, reported_variant_id) DO UPDATE
       SET first_seen_at = excluded.first_seen_at
       WHERE excluded.first_seen_at < assignment_conflicts.first_seen_at`,
    [
      rows.map((row) => row.experimentId),
      rows.map((row) => row.userId),
      rows.map((row) => row.reportedVariantId),
      rows.map((row) => row.variantId),
      rows.map((row) => row.reason),
      rows.map((row) => row.seenAt),
    ],
  );
}
