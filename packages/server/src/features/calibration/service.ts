import { randomUUID } from 'node:crypto';
import { CALIBRATED_METRICS_MAX, type Calibration, type CalibrationRequest } from '@assay/contract';
import type { Deps } from '../../deps.ts';
import { DomainError, invalidField, invalidFields, must } from '../../errors.ts';
import { parseCursor, toPage } from '../../paging.ts';
import { inTransaction } from '../../platform/postgres.ts';
import { type Actor, recordAudit } from '../audit/service.ts';
import type { ExperimentRecord } from '../experiments/experiment.ts';
import { requireExperiment } from '../experiments/service.ts';
import { alphaOf } from '../results/alpha.ts';
import { isTotal, metricsToUse } from '../results/use-metrics.ts';
import { type CalibrationPlan, toCalibration } from './calibration.ts';
import {
  countOpen,
  deleteOld,
  findCalibration,
  hasRecent,
  insertCalibration,
  listCalibrations,
  lockQueue,
  newestWithUsers,
} from './store.ts';

export type CalibrationDeps = Pick<Deps, 'db'>;

/** Calibrations that wait or run, at most. */
const OPEN_MAX = 20;
/** Of an experiment that is not named: fewer say little. */
const USERS_WANTED = 1_000;
const DAY_HOURS = 24;
const KEPT_DAYS = 90;
const AUTOMATIC_SPLITS = 500;

/** Where an experiment has no metrics of its own that can be compared. */
const DEFAULT_METRICS = ['conversion_rate', 'events_per_user', 'value_per_user', 'avg_value'];

/**
 * Queues a calibration, for the worker to run.
 *
 * @throws DomainError `experiment_not_found`; `invalid` for metrics that do not exist or are totals,
 *   or when no experiment has enough users; `overloaded` when too many wait
 */
export async function requestCalibration(
  deps: CalibrationDeps,
  actor: Actor,
  request: CalibrationRequest,
): Promise<Calibration> {
  const { db } = deps;
  const ref = request.experiment ?? (await newestWithUsers(db, USERS_WANTED, 'any'));
  if (ref === undefined) {
    throw invalidField('experiment', `name one: none has ${USERS_WANTED} users yet`);
  }
  const plan = await planOf(deps, await requireExperiment(db, ref), request);
  const id = await inTransaction(db, async (tx) => {
    await lockQueue(tx);
    if ((await countOpen(tx)) >= OPEN_MAX) {
      throw new DomainError('overloaded', `${OPEN_MAX} calibrations wait already`, {
        retryAfterSeconds: 60,
      });
    }
    const queued = must(await insertCalibration(tx, plan, null), 'only days are unique');
    await recordAudit(tx, actor, {
      action: 'calibration.requested',
      resourceType: 'calibration',
      resourceId: String(queued),
      before: null,
      after: plan,
    });
    return queued;
  });
  return getCalibration(deps, id);
}

async function planOf(
  { db }: CalibrationDeps,
  experiment: ExperimentRecord,
  { metrics, method, splits }: Pick<CalibrationRequest, 'metrics' | 'method' | 'splits'>,
): Promise<CalibrationPlan> {
  const { analysis } = experiment;
  return {
    experimentId: experiment.id,
    method: method ?? analysis.method,
    alpha: alphaOf(analysis.confidence_level),
    splits,
    metrics: await metricsOf({ db }, experiment, metrics),
    seed: randomUUID(),
  };
}

/** The metrics asked for, or the first of the experiment's own. */
async function metricsOf(
  { db }: CalibrationDeps,
  experiment: ExperimentRecord,
  asked: readonly string[] | undefined,
): Promise<readonly string[]> {
  const names = asked ?? experiment.metrics.map(({ metric }) => metric);
  const uses = await metricsToUse(db, experiment, { metrics: [...names], event_type: undefined });
  const wanted = uses.filter(({ isAsked }) => isAsked);
  const totals = wanted.filter(({ metric }) => isTotal(metric));
  if (asked !== undefined && totals.length > 0) {
    throw invalidFields(
      totals.map(({ metric: { key } }) => ({
        path: 'metrics',
        message: `"${key}" is a total, which is compared with nothing`,
      })),
    );
  }
  const compared = wanted.flatMap(({ metric }) => (isTotal(metric) ? [] : [metric.key]));
  return compared.length === 0 ? DEFAULT_METRICS : compared.slice(0, CALIBRATED_METRICS_MAX);
}

/** @throws DomainError `calibration_not_found` */
export async function getCalibration({ db }: CalibrationDeps, id: number): Promise<Calibration> {
  const found = await findCalibration(db, id);
  if (found === undefined) throw new DomainError('calibration_not_found', `No calibration ${id}`);
  return toCalibration(found);
}

/** From the newest on. @throws DomainError `experiment_not_found`, `invalid` for a bad cursor */
export async function pageOfCalibrations(
  { db }: CalibrationDeps,
  query: {
    readonly limit: number;
    readonly cursor?: string | undefined;
    readonly experiment?: string | undefined;
  },
): Promise<{ items: Calibration[]; next_cursor: string | null }> {
  const { limit, cursor, experiment } = query;
  const records = await listCalibrations(db, {
    experimentId: experiment === undefined ? null : (await requireExperiment(db, experiment)).id,
    before: parseCursor(cursor),
    limit: limit + 1,
  });
  const { items, next_cursor } = toPage(records, limit);
  return { items: items.map(toCalibration), next_cursor };
}

/**
 * Queues the calibration of a day (UTC): of the newest running experiment with enough users, unless
 * it has had one in the last 24 hours. Whoever asks, there is one a day. Old results are forgotten.
 */
export async function queueDaily(deps: Pick<Deps, 'db' | 'now'>): Promise<void> {
  const { db, now } = deps;
  await deleteOld(db, KEPT_DAYS);
  const key = await newestWithUsers(db, USERS_WANTED, 'running');
  if (key === undefined) return;
  const experiment = await requireExperiment(db, key);
  if (await hasRecent(db, experiment.id, DAY_HOURS)) return;
  const plan = await planOf(deps, experiment, {
    metrics: undefined,
    method: undefined,
    splits: AUTOMATIC_SPLITS,
  });
  await insertCalibration(db, plan, new Date(now()).toISOString().slice(0, 10));
}
