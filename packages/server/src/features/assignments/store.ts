import { jsonTextArray, plainArray, textArray } from '../../platform/array-literal.ts';
import { type Db, rfc3339 } from '../../platform/postgres.ts';

/** An assignment as stored; times are RFC 3339 UTC text with microseconds. */
export interface AssignmentRow {
  readonly experimentId: number;
  readonly userId: string;
  readonly variantId: number;
  readonly version: number;
  readonly source: 'hash' | 'reported' | 'forced';
  readonly bucket: number;
  readonly assignedAt: string;
}

export interface NewAssignment extends AssignmentRow {
  readonly context: Record<string, unknown>;
}

interface Row {
  readonly experiment_id: number;
  readonly user_id: string;
  readonly variant_id: number;
  readonly version: number;
  readonly source: 'hash' | 'reported' | 'forced';
  readonly bucket: number;
  readonly assigned_at: string;
}

const COLUMNS = `experiment_id, user_id, variant_id, version, source, bucket,
  ${rfc3339('assigned_at')} AS assigned_at`;

// The status and version are checked where the row is written: an assignment decided under a
// snapshot that has become old is not inserted, and its process decides again.
const INSERT_DECIDED = {
  name: 'insert_decided_assignments',
  text: `
    INSERT INTO assignments
      (experiment_id, user_id, variant_id, version, source, bucket, assigned_at, context)
    SELECT u.experiment_id, u.user_id, u.variant_id, u.version, 'hash', u.bucket, u.assigned_at, u.context
    FROM unnest($1::int[], $2::text[], $3::int[], $4::int[], $5::int[], $6::timestamptz[], $7::jsonb[])
      AS u (experiment_id, user_id, variant_id, version, bucket, assigned_at, context)
    JOIN experiments e ON e.id = u.experiment_id AND e.version = u.version AND e.status = 'running'
    ORDER BY u.experiment_id, u.user_id
    ON CONFLICT DO NOTHING
    RETURNING experiment_id, user_id`,
};

const FIND = {
  name: 'find_assignments',
  text: `
    SELECT ${COLUMNS} FROM assignments
    JOIN unnest($1::int[], $2::text[]) AS k (e, u) ON experiment_id = k.e AND user_id = k.u`,
};

/** Names a user in an experiment, for maps. */
export const assignmentKey = (experimentId: number, userId: string): string =>
  `${experimentId}:${userId}`;

/**
 * Inserts assignments that the hash decided, where none exists and the experiment still runs in
 * the version of the decision. Rows are in key order, so that two groups never wait for each other
 * in a circle.
 *
 * @returns the keys ({@link assignmentKey}) that this call inserted
 */
export async function insertDecided(
  db: Db,
  rows: readonly NewAssignment[],
): Promise<ReadonlySet<string>> {
  const result = await db.query<Pick<Row, 'experiment_id' | 'user_id'>>(INSERT_DECIDED, [
    plainArray(rows.map((row) => row.experimentId)),
    textArray(rows.map((row) => row.userId)),
    plainArray(rows.map((row) => row.variantId)),
    plainArray(rows.map((row) => row.version)),
    plainArray(rows.map((row) => row.bucket)),
    plainArray(rows.map((row) => row.assignedAt)),
    jsonTextArray(rows.map((row) => JSON.stringify(row.context))),
  ]);
  return new Set(result.rows.map((row) => assignmentKey(row.experiment_id, row.user_id)));
}

/** The stored assignments of the named users, by {@link assignmentKey}; absent ones are missing. */
export async function findAssignments(
  db: Db,
  keys: readonly Pick<AssignmentRow, 'experimentId' | 'userId'>[],
): Promise<ReadonlyMap<string, AssignmentRow>> {
  const { rows } = await db.query<Row>(FIND, [
    keys.map(({ experimentId }) => experimentId),
    keys.map(({ userId }) => userId),
  ]);
  return new Map(rows.map((row) => [assignmentKey(row.experiment_id, row.user_id), fromRow(row)]));
}

function fromRow(row: Row): AssignmentRow {
  return {
    experimentId: row.experiment_id,
    userId: row.user_id,
    variantId: row.variant_id,
    version: row.version,
    source: row.source,
    bucket: row.bucket,
    assignedAt: row.assigned_at,
  };
}
