import { type Calibration, ResultsQuery } from '@assay/contract';
import { BUCKETS } from '@assay/core';
import { type MetricCalibration, type Population, recalibrate } from '@assay/core/recalibration';
import type { Deps } from '../../deps.ts';
import { type Db, inTransaction, isStatementTimeout } from '../../platform/postgres.ts';
import type { ExperimentRecord } from '../experiments/experiment.ts';
import { requireExperiment } from '../experiments/service.ts';
import type { Question } from '../results/question.ts';
import { framedQuestion } from '../results/service.ts';
import { metricsToUse } from '../results/use-metrics.ts';
import type { CalibrationRecord } from './calibration.ts';
import { toPopulation, type UserPlan, type UserRows, userPlanOf } from './population.ts';
import { backendOf, cancelStatement, type ReadLimits, readUsers } from './store-users.ts';

export type MeasureDeps = Pick<Deps, 'db' | 'config' | 'now'>;

/** How much one calibration may take. */
export interface CalibrationLimits {
  readonly read: ReadLimits;
  /** From its beginning to its end, in milliseconds. */
  readonly milliseconds: number;
}

export const CALIBRATION_LIMITS: CalibrationLimits = {
  read: { users: 20_000, events: 200_000, milliseconds: 60_000 },
  milliseconds: 600_000,
};

/** With fewer, an arm is too small for any method to say much. */
const USERS_MIN = 100;
/** At a stretch, or one step; what else the process does then has its turn. */
const SLICE_MS = 2;

/** A calibration that cannot be, with a sentence for who asked for it. */
export class CalibrationError extends Error {
  override readonly name = 'CalibrationError';
}

/** What a run is told, and tells. */
export interface Run {
  readonly limits: CalibrationLimits;
  /** Aborted: to be given up, with the reason thrown. */
  readonly signal: AbortSignal;
  /** Called between slices with the splits that are done. */
  readonly onProgress: (done: number) => Promise<void>;
}

/**
 * Runs one calibration: reads the users in one pass, then splits them in memory, in slices of a few
 * milliseconds and at most half of the time, since requests are served by the same process.
 *
 * @throws CalibrationError, DomainError when it cannot be; the signal's reason
 */
export async function measure(
  deps: MeasureDeps,
  record: CalibrationRecord,
  { limits, signal, onProgress }: Run,
): Promise<NonNullable<Calibration['result']>> {
  const startedAt = performance.now();
  const experiment = await requireExperiment(deps.db, String(record.experimentId));
  const { population, assigned } = await readPopulation(deps, experiment, record, limits, signal);
  const users = population.ids.length;
  if (users < USERS_MIN) {
    throw new CalibrationError(`It has ${users} users; a calibration needs ${USERS_MIN}.`);
  }
  const { method, alpha, splits, seed } = record;
  const { expected_users: expected } = experiment.analysis;
  const share = controlShare(experiment);
  const steps = recalibrate(population, {
    // The part of the users that are looked at is to the plan as all of them are.
    analysis: {
      method,
      alpha,
      plannedUsers: expected === null ? null : Math.ceil((expected * users) / assigned),
    },
    splits,
    controlBuckets: Math.round(share * BUCKETS),
    seed,
  });
  const metrics = await inSlices(steps, async (done) => {
    signal.throwIfAborted();
    if (performance.now() - startedAt > limits.milliseconds) {
      const minutes = limits.milliseconds / 60_000;
      throw new CalibrationError(
        `It did not end within ${minutes} minutes (${done} of ${splits} splits); ask for fewer splits or metrics.`,
      );
    }
    await onProgress(done);
  });
  return {
    users,
    assigned_users: assigned,
    control_share: share,
    duration_ms: Math.round(performance.now() - startedAt),
    metrics: metrics.map((metric) => toResult(metric, alpha)),
  };
}

/** Does a slice of work, then something else for as long. */
async function inSlices<T>(
  steps: Generator<number, T>,
  between: (done: number) => Promise<void>,
): Promise<T> {
  for (;;) {
    const from = performance.now();
    let step = steps.next();
    while (!step.done && performance.now() - from < SLICE_MS) step = steps.next();
    if (step.done) return step.value;
    const worked = performance.now() - from;
    await new Promise((resolve) => setTimeout(resolve, worked));
    await between(step.value);
  }
}

/**
 * Which part of the users is the control: as in the experiment, where the control stands against the
 * smallest of the treatments, since uneven arms are the harder test. Whole buckets.
 */
export function controlShare({ variants }: Pick<ExperimentRecord, 'variants'>): number {
  const control = variants.find(({ isControl }) => isControl)?.allocation ?? 0;
  const treatments = variants.flatMap(({ isControl, allocation }) =>
    isControl || allocation === 0 ? [] : [allocation],
  );
  if (control === 0 || treatments.length === 0) return 0.5;
  return Math.round((control / (control + Math.min(...treatments))) * BUCKETS) / BUCKETS;
}

async function readPopulation(
  deps: MeasureDeps,
  experiment: ExperimentRecord,
  { metrics: names, alpha }: CalibrationRecord,
  { read }: CalibrationLimits,
  signal: AbortSignal,
): Promise<{ readonly population: Population; readonly assigned: number }> {
  const query = ResultsQuery.parse({ granularity: 'day' });
  const asked = { metrics: [...names], event_type: undefined };
  const uses = (await metricsToUse(deps.db, experiment, asked)).filter(({ isAsked }) => isAsked);
  const question = await framedQuestion(deps, experiment, query, uses, alpha);
  const plan = userPlanOf(question.metrics, alpha);
  const rows = await readCancellably(deps, alone(question), plan, read, signal);
  return { population: toPopulation(question.metrics, plan, rows), assigned: rows.assigned };
}

/** The question for metrics alone: no events are read for a series. */
const alone = (question: Question): Question => ({
  ...question,
  eventTypes: [],
  series: { bucket: 'day', start: question.end },
});

/** Reads the users; an abort ends the statement that is at work. */
async function readCancellably(
  { db }: MeasureDeps,
  question: Question,
  plan: UserPlan,
  limits: ReadLimits,
  signal: AbortSignal,
): Promise<UserRows> {
  const read = async (tx: Db): Promise<UserRows> => {
    const backend = await backendOf(tx);
    const cancelling: Promise<unknown>[] = [];
    // A statement that cannot be cancelled ends by its own time limit.
    const cancel = (): void =>
      void cancelling.push(cancelStatement(db, backend).catch((error: unknown) => error));
    signal.addEventListener('abort', cancel);
    try {
      signal.throwIfAborted();
      return await readUsers(tx, question, plan, limits);
    } finally {
      signal.removeEventListener('abort', cancel);
      // Lest it reaches whoever has the connection next.
      await Promise.all(cancelling);
    }
  };
  try {
    return await inTransaction(db, read, 'READ');
  } catch (error) {
    signal.throwIfAborted();
    if (!isStatementTimeout(error)) throw error;
    const seconds = limits.milliseconds / 1_000;
    throw new CalibrationError(
      `Its events could not be read within ${seconds} seconds; ask for metrics of rarer events.`,
      { cause: error },
    );
  }
}

const toResult = (
  metric: MetricCalibration,
  alpha: number,
): NonNullable<Calibration['result']>['metrics'][number] => ({
  metric: metric.key,
  status: metric.status === 'none' ? 'not_measured' : metric.status,
  users: metric.users,
  splits: metric.concluded,
  alpha,
  false_positive_rate: metric.falsePositiveRate,
  acceptance: metric.acceptance,
  ci_coverage: metric.coverage,
  arm_ci_coverage: metric.armCoverage,
  ks_p_value: metric.uniformityPValue,
});
