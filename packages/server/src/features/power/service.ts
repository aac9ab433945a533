import {
  type FieldError,
  type PowerRequest,
  type PowerResult,
  type Results,
  ResultsQuery,
} from '@assay/contract';
import { formatInstant } from '@assay/core';
import type { PlannedKind } from '@assay/core/analysis';
import { DomainError, invalidFields } from '../../errors.ts';
import { inTransaction, isStatementTimeout } from '../../platform/postgres.ts';
import type { ExperimentRecord } from '../experiments/experiment.ts';
import { requireExperiment } from '../experiments/service.ts';
import { metricsNamed, metricsNamedAt } from '../metrics/service-names.ts';
import { getResults, type ResultsDeps } from '../results/service.ts';
import { answer } from './answer.ts';
import {
  armsOf,
  BUILT_IN_KINDS,
  type Coming,
  definitionFacts,
  type Known,
  metricOf,
  resultFacts,
  trafficFacts,
} from './facts.ts';
import { newUsersByDay, TRAFFIC_TIMEOUT_MS, type Traffic } from './store.ts';

export type PowerDeps = ResultsDeps;

/** Traffic that is longer ago says little about the next weeks. */
const TRAFFIC_DAYS_MAX = 28;

/**
 * How many users an experiment needs, and what it could find: from the numbers of the request, or
 * for what these leave open from an experiment's definition, results and traffic.
 *
 * @throws DomainError `invalid` naming the field to change, `experiment_not_found`
 */
export async function computePower(deps: PowerDeps, request: PowerRequest): Promise<PowerResult> {
  const experiment =
    request.experiment === undefined
      ? undefined
      : await requireExperiment(deps.db, request.experiment);
  const coming = experiment === undefined ? NOTHING : await learn(deps, experiment, request);
  const isOwnSplit = request.allocation === undefined && experiment !== undefined;
  return answer(request, coming, isOwnSplit ? armsOf(experiment).map(({ key }) => key) : []);
}

const NOTHING: Coming = { known: {}, observed: [] };

/**
 * Undefined for a total, which is compared with nothing, and for a name that means nothing. Of an
 * archived experiment as its results have it.
 */
async function kindOf(
  { db }: PowerDeps,
  { status, updatedAt }: ExperimentRecord,
  metric: string,
): Promise<PlannedKind | undefined> {
  const kept = status === 'archived' ? await metricsNamedAt(db, [metric], updatedAt) : undefined;
  const { metrics } = await metricsNamed(db, [metric]);
  const found = kept?.get(metric) ?? metrics.get(metric);
  return found?.definition.kind ?? BUILT_IN_KINDS[metric];
}

/** What an experiment says, where the request does not say it. */
async function learn(
  deps: PowerDeps,
  experiment: ExperimentRecord,
  request: PowerRequest,
): Promise<Coming> {
  const metric = metricOf(experiment, request.metric);
  const coming = request.daily_users === undefined ? await comingTo(deps, experiment) : NOTHING;
  return {
    observed: coming.observed,
    known: {
      ...definitionFacts(experiment, metric, await kindOf(deps, experiment, metric)),
      ...(await measured(deps, experiment, metric, request)),
      ...coming.known,
    },
  };
}

/**
 * Who came to the experiment; before it has users, whoever sent an event, of whom its coverage
 * enters.
 */
async function comingTo(deps: PowerDeps, experiment: ExperimentRecord): Promise<Coming> {
  const until = experiment.stoppedAt ?? formatInstant(deps.now() * 1_000);
  const own = trafficFacts(await traffic(deps, experiment.id, until), 'users assigned to it');
  if (own.known.daily_users !== undefined) return own;
  const all = trafficFacts(await traffic(deps, null, until), 'users who sent an event');
  if (all.known.daily_users === undefined || experiment.coverage === 0) return NOTHING;
  const traffic_pct = { value: experiment.coverage / 100, source: 'experiment' } as const;
  return { ...all, known: { ...all.known, traffic_pct } };
}

async function traffic(
  { db }: PowerDeps,
  experimentId: number | null,
  until: string,
): Promise<Traffic> {
  const frame = { until, daysMax: TRAFFIC_DAYS_MAX };
  try {
    return await inTransaction(db, (tx) => newUsersByDay(tx, experimentId, frame), 'READ');
  } catch (cause) {
    if (!isStatementTimeout(cause)) throw cause;
    const detail = `Counting the users of the last weeks takes more than ${TRAFFIC_TIMEOUT_MS / 1_000} s; give daily_users`;
    throw new DomainError('unavailable', detail, { cause, retryAfterSeconds: 60 });
  }
}

/** What the results say of the metric, unless the request says it all. */
async function measured(
  deps: PowerDeps,
  experiment: ExperimentRecord,
  metric: string,
  request: PowerRequest,
): Promise<Known> {
  const { baseline, standard_deviation, cuped_correlation, moments } = request;
  const isMetricGiven =
    moments !== undefined || (baseline !== undefined && standard_deviation !== undefined);
  if (isMetricGiven && cuped_correlation !== undefined) return {};
  return resultFacts(await resultsOf(deps, experiment, metric, request), metric);
}

async function resultsOf(
  deps: PowerDeps,
  experiment: ExperimentRecord,
  metric: string,
  { event_type }: PowerRequest,
): Promise<Results> {
  const query = ResultsQuery.safeParse({ metrics: metric, event_type });
  if (!query.success) {
    const errors = query.error.issues.map(({ path, message }) =>
      ofRequest({ path: path.join('.'), message }),
    );
    throw invalidFields(errors);
  }
  try {
    return await getResults(deps, experiment.key, query.data);
  } catch (error) {
    if (!(error instanceof DomainError) || error.errors === undefined) throw error;
    throw new DomainError(error.code, error.message, {
      errors: error.errors.map(ofRequest),
      cause: error,
    });
  }
}

/** An error of the query for results, as one of the request that led to it. */
const ofRequest = ({ path, message }: FieldError): FieldError => ({
  path: path.startsWith('metrics') ? 'metric' : path,
  message,
});
