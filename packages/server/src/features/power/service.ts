import {
  type FieldError,
  type PowerRequest,
  type PowerResult,
  type Results,
  ResultsQuery,
} from '@assay/contract';
import { formatInstant } from '@assay/core';
import { type Plan, type PlanCaution, type PlanInput, plan } from '@assay/core/analysis';
import { DomainError } from '../../errors.ts';
import type { ExperimentRecord } from '../experiments/experiment.ts';
import { requireExperiment } from '../experiments/service.ts';
import { getResults, type ResultsDeps } from '../results/service.ts';
import {
  armsOf,
  type Coming,
  definitionFacts,
  type Known,
  metricOf,
  resultFacts,
  trafficFacts,
} from './facts.ts';
import { type Settled, settle } from './settle.ts';
import { newUsersByDay } from './store.ts';

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
  const { known, observed } =
    experiment === undefined ? NOTHING : await learn(deps, experiment, request);
  const settled = settle(request, known, observed);
  if ('errors' in settled) throw invalid(settled.errors);
  const planned = plan(settled.input);
  if (planned.status !== 'ok') {
    const { field, change, status } = planned;
    throw invalid([{ path: PATHS[field] ?? field, message: `${change} (${status})` }]);
  }
  const isOwnSplit = request.allocation === undefined && experiment !== undefined;
  const variants = isOwnSplit ? armsOf(experiment).map(({ key }) => key) : [];
  return toPowerResult(settled, planned, variants);
}

const NOTHING: Coming = { known: {}, observed: [] };

/** Fields of a plan whose name in the API is another. */
const PATHS: Readonly<Partial<Record<keyof PlanInput, string>>> = {
  deviation: 'standard_deviation',
  cupedCorrelation: 'cuped_correlation',
  recruitment: 'daily_users',
  minimumDays: 'minimum_days',
};

function invalid(errors: readonly FieldError[]): DomainError {
  const [first] = errors;
  return new DomainError('invalid', first && `${first.path}: ${first.message}`, { errors });
}

/** What an experiment says, where the request does not say it. */
async function learn(
  deps: PowerDeps,
  experiment: ExperimentRecord,
  request: PowerRequest,
): Promise<Coming> {
  const metric = metricOf(experiment, request.metric);
  const until = experiment.stoppedAt ?? formatInstant(deps.now() * 1_000);
  const coming =
    request.daily_users === undefined
      ? trafficFacts(await newUsersByDay(deps.db, experiment.id, until, TRAFFIC_DAYS_MAX))
      : NOTHING;
  return {
    observed: coming.observed,
    known: {
      ...definitionFacts(experiment, metric),
      ...(await measured(deps, experiment, metric, request)),
      ...coming.known,
    },
  };
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
    throw invalid(errors);
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

const CAUTIONS: Readonly<Record<PlanCaution, string>> = {
  small_sample:
    'Fewer than 100 users in an arm: the estimates are not nearly normal yet, so the real power is lower, and results withhold their verdict.',
  rare_outcomes:
    'Fewer than 10 users with, or without, the outcome in an arm: the real power is lower.',
  as_fixed:
    'A Bayesian analysis controls no error rate; the size is that of the test with a fixed horizon.',
};

function toPowerResult(
  { input, assumptions }: Settled,
  planned: Plan,
  variants: readonly string[],
): PowerResult {
  const sum = input.allocation.reduce((total, weight) => total + weight, 0);
  return {
    kind: input.kind,
    role: input.margin === null ? 'goal' : 'guardrail',
    method: input.method,
    design: planned.design,
    alpha: input.alpha,
    alpha_per_comparison: planned.alphaPerComparison,
    power: input.power,
    power_per_metric: planned.powerPerMetric,
    sided: planned.sided,
    baseline: input.baseline,
    standard_deviation: input.deviation,
    effect_absolute: planned.effectAbsolute,
    effect_relative: planned.effectRelative,
    margin: input.margin,
    total_users: planned.totalUsers,
    arms: planned.usersPerArm.map((users, index) => ({
      variant: variants[index] ?? null,
      share: (input.allocation[index] ?? 0) / sum,
      users,
    })),
    inflation: planned.inflation,
    variance_multiplier: planned.varianceMultiplier,
    optimal_control_share: planned.optimalControlShare,
    duration:
      planned.runningTime === null
        ? null
        : {
            days: planned.runningTime.days,
            days_whole_weeks: planned.runningTime.daysWholeWeeks,
          },
    curve: planned.curve.map(({ days, users, absolute, relative }) => ({
      days,
      users,
      mde_absolute: absolute,
      mde_relative: relative,
    })),
    cautions: planned.cautions.map((code) => ({ code, message: CAUTIONS[code] })),
    assumptions: [...assumptions],
  };
}
