import type { Deps } from '../../deps.ts';
import { DomainError } from '../../errors.ts';
import type { Db } from '../../platform/postgres.ts';
import type { CalibrationRecord } from './calibration.ts';
import {
  CALIBRATION_LIMITS,
  CalibrationError,
  type CalibrationLimits,
  measure,
} from './measure.ts';
import {
  countOpen,
  requeueOrphans,
  type Turn,
  takeNext,
  tryLockRunning,
  unlockRunning,
  writeTurn,
} from './store.ts';

export type RunDeps = Pick<Deps, 'db' | 'config' | 'now' | 'log'>;

const ATTEMPTS_MAX = 3;
/** How often progress is written; also how soon a worker notices that another has taken over. */
const PROGRESS_MS = 500;

/**
 * Runs all calibrations that wait, one after the other. Of all workers one does so at a time: the
 * lock is its session's, and ends with it, so that what a dead worker left is begun anew.
 *
 * @param signal aborted: the present one is given back and no other begun
 */
export async function runCalibrations(
  deps: RunDeps,
  signal: AbortSignal,
  limits: CalibrationLimits = CALIBRATION_LIMITS,
): Promise<void> {
  if ((await countOpen(deps.db)) === 0) return;
  const session = await deps.db.connect();
  let isClean = false;
  // While it is idle the connection may be lost, which the next statement tells; without a listener
  // Node would end the process.
  const ignore = (): void => {};
  session.on('error', ignore);
  try {
    if (await tryLockRunning(session)) {
      await requeueOrphans(session, ATTEMPTS_MAX);
      while (!signal.aborted) {
        const next = await takeNext(session);
        if (next === undefined) break;
        await runOne(deps, session, next, signal, limits);
      }
      await unlockRunning(session);
    }
    isClean = true;
  } finally {
    session.off('error', ignore);
    // A session that failed may still hold the lock: it does not go back.
    session.release(!isClean);
  }
}

async function runOne(
  deps: RunDeps,
  session: Db,
  record: CalibrationRecord,
  signal: AbortSignal,
  limits: CalibrationLimits,
): Promise<void> {
  const { log } = deps;
  const about = { calibration: record.id, experiment: record.experimentKey };
  log.info(about, 'calibration begun');
  const turn = await turnOf(deps, session, record, signal, limits);
  const isOwn = await writeTurn(session, record, turn);
  if ('error' in turn) log.warn({ ...about, error: turn.error }, 'calibration failed');
  else log.info({ ...about, isOwn }, 'result' in turn ? 'calibration done' : 'calibration put off');
}

/** How a calibration ended. What the database cannot do now is thrown: it is begun anew. */
async function turnOf(
  deps: RunDeps,
  session: Db,
  record: CalibrationRecord,
  signal: AbortSignal,
  limits: CalibrationLimits,
): Promise<Turn> {
  let toldAt = performance.now();
  try {
    const result = await measure(deps, record, {
      limits,
      signal,
      onProgress: async (done) => {
        if (performance.now() - toldAt < PROGRESS_MS) return;
        toldAt = performance.now();
        const isOwn = await writeTurn(session, record, { progress: done / record.splits });
        if (!isOwn) throw new CalibrationError('Another worker has taken it over.');
      },
    });
    return { result };
  } catch (error) {
    if (signal.aborted) return { status: 'queued' };
    if (error instanceof CalibrationError || error instanceof DomainError) {
      return { error: error.message };
    }
    throw error;
  }
}
