import { must } from '../../errors.ts';
import { ADVISORY_LOCKS } from '../../platform/advisory-locks.ts';
import { type Db, rfc3339 } from '../../platform/postgres.ts';
import type { CalibrationPlan, CalibrationRecord } from './calibration.ts';

const COLUMNS = `c.id, c.experiment_id AS "experimentId", e.key AS "experimentKey", c.status, c.method,
  c.alpha, c.splits, c.metrics, c.seed, c.automatic_on IS NOT NULL AS "isAutomatic", c.attempts,
  c.progress, c.error, c.result, ${rfc3339('c.created_at')} AS "createdAt",
  ${rfc3339('c.started_at')} AS "startedAt", ${rfc3339('c.finished_at')} AS "finishedAt"`;
const FROM = 'FROM calibrations c JOIN experiments e ON e.id = c.experiment_id';

/** Queues a calibration. @returns its id; undefined when the day has one already */
export async function insertCalibration(
  db: Db,
  { experimentId, method, alpha, splits, metrics, seed }: CalibrationPlan,
  automaticOn: string | null,
): Promise<number | undefined> {
  const { rows } = await db.query<{ id: number }>(
    `INSERT INTO calibrations (experiment_id, method, alpha, splits, metrics, seed, automatic_on)
     VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (automatic_on) DO NOTHING RETURNING id`,
    [experimentId, method, alpha, splits, metrics, seed, automaticOn],
  );
  return rows[0]?.id;
}

export async function findCalibration(db: Db, id: number): Promise<CalibrationRecord | undefined> {
  const { rows } = await db.query<CalibrationRecord>(`SELECT ${COLUMNS} ${FROM} WHERE c.id = $1`, [
    id,
  ]);
  return rows[0];
}

/** From the newest on, those with an id below `before`. @param experimentId null: of all */
export async function listCalibrations(
  db: Db,
  filter: {
    readonly experimentId: number | null;
    readonly before: number | null;
    readonly limit: number;
  },
): Promise<readonly CalibrationRecord[]> {
  const { rows } = await db.query<CalibrationRecord>(
    `SELECT ${COLUMNS} ${FROM}
     WHERE ($1::int IS NULL OR c.experiment_id = $1) AND ($2::bigint IS NULL OR c.id < $2)
     ORDER BY c.id DESC LIMIT $3`,
    [filter.experimentId, filter.before, filter.limit],
  );
  return rows;
}

/** Keeps others from queueing until the end of this transaction. */
export async function lockQueue(tx: Db): Promise<void> {
  await tx.query('SELECT pg_advisory_xact_lock($1)', [ADVISORY_LOCKS.queueCalibrations]);
}

/** How many are queued or running. */
export async function countOpen(db: Db): Promise<number> {
  const { rows } = await db.query<{ open: number }>(
    `SELECT count(*) AS open FROM calibrations WHERE status IN ('queued', 'running')`,
  );
  return must(rows[0], 'an aggregate has one row').open;
}

/**
 * The key of the newest experiment with at least so many users; a running one before all others.
 *
 * @param only 'running': no others
 */
export async function newestWithUsers(
  db: Db,
  usersMin: number,
  only: 'running' | 'any',
): Promise<string | undefined> {
  const { rows } = await db.query<{ key: string }>(
    `SELECT key FROM experiments e
     WHERE ($2 = 'any' OR status = 'running') AND started_at IS NOT NULL AND status <> 'archived'
       AND $1 <= (SELECT count(*) FROM (
         SELECT 1 FROM assignments a WHERE a.experiment_id = e.id LIMIT $1) AS first)
     ORDER BY status = 'running' DESC, started_at DESC, id DESC LIMIT 1`,
    [usersMin, only],
  );
  return rows[0]?.key;
}

/** Whether any calibration was asked for, or begun, within so many hours. */
export async function hasRecent(db: Db, experimentId: number, hours: number): Promise<boolean> {
  const { rows } = await db.query<{ recent: boolean }>(
    `SELECT EXISTS (SELECT FROM calibrations WHERE experiment_id = $1 AND status <> 'failed'
       AND created_at > now() - make_interval(hours => $2)) AS recent`,
    [experimentId, hours],
  );
  return rows[0]?.recent === true;
}

/** Forgets results that are so old. */
export async function deleteOld(db: Db, days: number): Promise<void> {
  await db.query(
    `DELETE FROM calibrations
     WHERE status IN ('done', 'failed') AND created_at < now() - make_interval(days => $1)`,
    [days],
  );
}

/** Takes, for the session, the right to run calibrations; false while another session has it. */
export async function tryLockRunning(session: Db): Promise<boolean> {
  const { rows } = await session.query<{ locked: boolean }>(
    'SELECT pg_try_advisory_lock($1) AS locked',
    [ADVISORY_LOCKS.runCalibrations],
  );
  return rows[0]?.locked === true;
}

/** Gives the right of {@link tryLockRunning} back. */
export async function unlockRunning(session: Db): Promise<void> {
  await session.query('SELECT pg_advisory_unlock($1)', [ADVISORY_LOCKS.runCalibrations]);
}

/**
 * Queues again what is said to be running, by a session that alone may run: nobody is at it. What was
 * begun so often has failed.
 */
export async function requeueOrphans(session: Db, attemptsMax: number): Promise<void> {
  await session.query(
    `UPDATE calibrations SET progress = 0,
       status = CASE WHEN attempts < $1 THEN 'queued' ELSE 'failed' END,
       finished_at = CASE WHEN attempts < $1 THEN NULL ELSE now() END,
       error = CASE WHEN attempts < $1 THEN NULL
         ELSE 'It was begun ' || attempts || ' times and not ended; the log of the worker says why.' END
     WHERE status = 'running'`,
    [attemptsMax],
  );
}

/** Takes the oldest that waits as this session's; undefined when none does. */
export async function takeNext(session: Db): Promise<CalibrationRecord | undefined> {
  const { rows } = await session.query<CalibrationRecord>(
    `WITH c AS (UPDATE calibrations SET status = 'running', attempts = attempts + 1, progress = 0,
         started_at = now()
       WHERE id = (SELECT id FROM calibrations WHERE status = 'queued' ORDER BY id LIMIT 1) RETURNING *)
     SELECT ${COLUMNS} FROM c JOIN experiments e ON e.id = c.experiment_id`,
  );
  return rows[0];
}

/** What becomes of a calibration that this session runs. */
export type Turn =
  | { readonly progress: number }
  | { readonly result: NonNullable<CalibrationRecord['result']> }
  | { readonly error: string }
  /** Given back without having been an attempt. */
  | { readonly status: 'queued' };

/** @returns false when it is no longer this attempt's: another worker has taken it, or it is gone */
export async function writeTurn(
  session: Db,
  { id, attempts }: Pick<CalibrationRecord, 'id' | 'attempts'>,
  turn: Turn,
): Promise<boolean> {
  const [change, value] =
    'progress' in turn
      ? ['progress = $3', turn.progress]
      : 'result' in turn
        ? [
            `status = 'done', progress = 1, finished_at = now(), result = $3`,
            JSON.stringify(turn.result),
          ]
        : 'error' in turn
          ? [`status = 'failed', finished_at = now(), error = $3`, turn.error]
          : [`status = $3, attempts = attempts - 1, progress = 0, started_at = NULL`, turn.status];
  const { rowCount } = await session.query(
    `UPDATE calibrations SET ${change} WHERE id = $1 AND attempts = $2 AND status = 'running'`,
    [id, attempts, value],
  );
  return rowCount === 1;
}
