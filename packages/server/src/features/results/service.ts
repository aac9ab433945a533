import {
  BUILT_IN_METRICS,
  type BuiltInMetric,
  type Results,
  type ResultsQuery,
  type VariantResult,
} from '@assay/contract';
import type { Deps } from '../../deps.ts';
import { DomainError } from '../../errors.ts';
import { retentionFloor } from '../../worker/retention.ts';
import type { ExperimentRecord } from '../experiments/experiment.ts';
import { listVersions, requireExperiment } from '../experiments/service.ts';
import { assembleVariants } from './assemble.ts';
import { askSource } from './choose-source.ts';
import { toOldAnswer } from './old-answer.ts';
import { type Question, SERIES_ROWS_MAX } from './question.ts';
import { countTrouble, firstAssignment } from './store-postgres.ts';
import { detectableEffect, recommend, srmOf } from './summary.ts';
import { QUANTILE_METRICS, tooManyBuckets, toQuestion } from './to-question.ts';

export type ResultsDeps = Pick<Deps, 'db' | 'resultsDb' | 'clickhouse' | 'config' | 'now' | 'log'>;

const ENGINE_VERSION = '0.1.0';
const METHOD = 'fixed';
const DEFAULT_METRICS: readonly BuiltInMetric[] = ['conversion_rate', 'unique_users'];
const TOTALS: readonly BuiltInMetric[] = ['unique_users', 'event_count', 'sum_value'];

/** The results of an experiment, computed from the store that the query asks for. */
export async function getResults(
  deps: ResultsDeps,
  ref: string,
  query: ResultsQuery,
): Promise<Results> {
  const startedAt = performance.now();
  requireMethod(query.method);
  const experiment = await requireExperiment(deps.db, ref);
  const asked = query.metrics ?? ownMetrics(experiment);
  const goals = goalsOf(experiment, asked);
  const question = await framedQuestion(deps, experiment, query, asked);
  const sourced = await askSource(deps, question, query);
  if (sourced.answer.series.length > SERIES_ROWS_MAX) throw tooManyBuckets();
  const answer = toOldAnswer(sourced.answer);
  // After the users, so that the version of each of them is among these.
  const versions = await listVersions(deps.db, experiment.id);
  const trouble = await countTrouble(deps.db, experiment);

  const confidence = query.confidence_level ?? experiment.analysis.confidence_level;
  const alpha = 1 - confidence / 100;
  const minSample = query.min_sample;
  const variants = assembleVariants(experiment, answer, {
    // What was not asked for still decides: the verdict does not depend on what one looks at.
    metrics: [...new Set([...asked, ...goals])],
    goals,
    alpha,
    minSample,
    includeIntervals: query.include_ci,
  });
  const srm = srmOf(experiment, versions, answer.versions);
  const verdict = { experiment, variants, goals, srm, nowMs: deps.now(), minSample };
  return {
    experiment_id: experiment.id,
    experiment_key: experiment.key,
    summary: {
      status: experiment.status,
      ...recommend(verdict),
      confidence_level: confidence,
      minimum_detectable_effect: detectableEffect(variants, goals, alpha),
      health: {
        srm,
        conflicts: trouble.conflicts,
        quarantined_events: trouble.quarantined,
        lag_ms: sourced.lagMs,
      },
    },
    variants: variants.map((variant) => withMetrics(variant, asked)),
    metadata: {
      start_date: question.start,
      end_date: question.end,
      granularity: query.granularity,
      total_users: variants.reduce((sum, { assigned_users }) => sum + assigned_users, 0),
      source: sourced.source,
      ...(sourced.note === undefined ? {} : { source_note: sourced.note }),
      as_of: sourced.asOf,
      lag_ms: sourced.lagMs,
      method: METHOD,
      engine_version: ENGINE_VERSION,
      query_ms: Math.round(performance.now() - startedAt),
    },
  };
}

function requireMethod(method: ResultsQuery['method']): void {
  if (method === undefined || method === METHOD) return;
  const detail = `method: "${method}" is not available yet; use ${METHOD}`;
  const errors = [{ path: 'method', message: `must be ${METHOD}` }];
  throw new DomainError('method_not_available', detail, { errors });
}

const isBuiltIn = (name: string): name is BuiltInMetric =>
  BUILT_IN_METRICS.some((metric) => metric === name);

function ownMetrics(experiment: ExperimentRecord): readonly BuiltInMetric[] {
  const own = experiment.metrics.map(({ metric }) => metric).filter(isBuiltIn);
  return own.length === 0 ? DEFAULT_METRICS : [...new Set(own)];
}

/**
 * The metrics that decide: the experiment's goals, whatever was asked for; without any, the first
 * of those asked for that is compared with the control.
 */
function goalsOf(
  experiment: ExperimentRecord,
  asked: readonly BuiltInMetric[],
): readonly BuiltInMetric[] {
  const isCompared = (metric: BuiltInMetric): boolean =>
    !TOTALS.includes(metric) && !QUANTILE_METRICS.includes(metric);
  const goals = experiment.metrics
    .filter(({ role }) => role === 'goal')
    .map(({ metric }) => metric)
    .filter(isBuiltIn)
    .filter(isCompared);
  return goals.length > 0 ? [...new Set(goals)] : asked.filter(isCompared).slice(0, 1);
}

async function framedQuestion(
  { db, config, now }: ResultsDeps,
  experiment: ExperimentRecord,
  query: ResultsQuery,
  metrics: readonly BuiltInMetric[],
): Promise<Question> {
  const nowMs = now();
  return toQuestion(query, metrics, {
    experimentId: experiment.id,
    now: nowMs * 1000,
    startedAt: experiment.startedAt,
    stoppedAt: experiment.stoppedAt,
    firstAssignedAt:
      query.start_date === undefined ? await firstAssignment(db, experiment.id) : null,
    retentionFloor: retentionFloor(nowMs, config.retentionMonths),
  });
}

function withMetrics(variant: VariantResult, names: readonly BuiltInMetric[]): VariantResult {
  const metrics = Object.fromEntries(
    names.flatMap((name) => {
      const metric = variant.metrics[name];
      return metric === undefined ? [] : [[name, metric]];
    }),
  );
  return { ...variant, metrics };
}
