import {
  BUILT_IN_METRICS,
  type BuiltInMetric,
  type FilterScalar,
  type Results,
  type ResultsQuery,
} from '@assay/contract';
import { formatInstant, parseInstant } from '@assay/core';
import { readWatermark } from '../../analytics/watermark.ts';
import type { Deps } from '../../deps.ts';
import { DomainError, must } from '../../errors.ts';
import { inTransaction } from '../../platform/postgres.ts';
import { retentionFloor } from '../../worker/retention.ts';
import type { ExperimentRecord } from '../experiments/experiment.ts';
import { listVersions, requireExperiment } from '../experiments/service.ts';
import { assembleVariants } from './assemble.ts';
import {
  type Answer,
  BUCKET_OF,
  BUCKET_SECONDS,
  type Filter,
  type Question,
  SERIES_ROWS_MAX,
} from './question.ts';
import { askClickHouse } from './store-clickhouse.ts';
import { askPostgres, countTrouble, firstAssignment } from './store-postgres.ts';
import { detectableEffect, recommend, srmOf } from './summary.ts';

export type ResultsDeps = Pick<Deps, 'db' | 'clickhouse' | 'config' | 'now' | 'log'>;

const ENGINE_VERSION = '0.1.0';
/** How old ClickHouse's state may be for `auto` to prefer it, in microseconds. */
const FRESH_ENOUGH = 5_000_000;
const REALTIME_SECONDS = 3_600;
const BUCKETS_MAX = 10_000;
const DEFAULT_METRICS: readonly BuiltInMetric[] = ['conversion_rate', 'unique_users'];
const QUANTILE_METRICS: readonly BuiltInMetric[] = ['median_value', 'p95_value'];
const TOTALS: readonly BuiltInMetric[] = ['unique_users', 'event_count', 'sum_value'];

/** An answer, and what it was read from. */
interface Sourced {
  readonly answer: Answer;
  readonly source: 'postgresql' | 'clickhouse';
  /** RFC 3339 UTC. */
  readonly asOf: string;
  readonly lagMs: number | null;
  readonly note?: string;
}

/** The results of an experiment, computed from the store that the query asks for. */
export async function getResults(
  deps: ResultsDeps,
  ref: string,
  query: ResultsQuery,
): Promise<Results> {
  const startedAt = performance.now();
  const experiment = await requireExperiment(deps.db, ref);
  const method = query.method ?? 'fixed';
  if (method !== 'fixed') {
    throw new DomainError(
      'method_not_available',
      `method: "${method}" is not available yet; use fixed`,
      {
        errors: [{ path: 'method', message: 'must be fixed' }],
      },
    );
  }
  const metrics = query.metrics ?? ownMetrics(experiment);
  const question = await toQuestion(deps, experiment, query, metrics);
  const [sourced, versions, trouble] = await Promise.all([
    ask(deps, question, query),
    listVersions(deps.db, experiment.id),
    countTrouble(deps.db, experiment),
  ]);
  const { answer } = sourced;
  if (answer.series.length > SERIES_ROWS_MAX) throw tooManyBuckets();

  const confidence = query.confidence_level ?? experiment.analysis.confidence_level;
  const alpha = 1 - confidence / 100;
  const goals = goalsOf(experiment, metrics);
  const variants = assembleVariants(experiment, answer, {
    metrics,
    goals,
    alpha,
    minSample: query.min_sample,
    includeIntervals: query.include_ci,
  });
  const srm = srmOf(experiment, versions, answer.versions);
  const verdict = {
    experiment,
    variants,
    goals,
    srm,
    alpha,
    nowMs: deps.now(),
    minSample: query.min_sample,
  };
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
    variants: [...variants],
    metadata: {
      start_date: question.start,
      end_date: question.end,
      granularity: query.granularity,
      total_users: variants.reduce((sum, { assigned_users }) => sum + assigned_users, 0),
      source: sourced.source,
      ...(sourced.note === undefined ? {} : { source_note: sourced.note }),
      as_of: sourced.asOf,
      lag_ms: sourced.lagMs,
      method,
      engine_version: ENGINE_VERSION,
      query_ms: Math.round(performance.now() - startedAt),
    },
  };
}

const isBuiltIn = (name: string): name is BuiltInMetric =>
  BUILT_IN_METRICS.some((metric) => metric === name);

function ownMetrics(experiment: ExperimentRecord): readonly BuiltInMetric[] {
  const own = experiment.metrics.map(({ metric }) => metric).filter(isBuiltIn);
  return own.length === 0 ? DEFAULT_METRICS : [...new Set(own)];
}

/** The experiment's goals among the metrics asked for; without any, the first that compares. */
function goalsOf(
  experiment: ExperimentRecord,
  metrics: readonly BuiltInMetric[],
): readonly BuiltInMetric[] {
  const comparing = metrics.filter(
    (metric) => !TOTALS.includes(metric) && !QUANTILE_METRICS.includes(metric),
  );
  const goals = comparing.filter((name) =>
    experiment.metrics.some(({ metric, role }) => metric === name && role === 'goal'),
  );
  return goals.length > 0 ? goals : comparing.slice(0, 1);
}

async function toQuestion(
  deps: ResultsDeps,
  experiment: ExperimentRecord,
  query: ResultsQuery,
  metrics: readonly BuiltInMetric[],
): Promise<Question> {
  const now = deps.now() * 1000;
  const micros = (text: string): number => must(parseInstant(text), 'times are validated');
  const end = micros(query.end_date ?? experiment.stoppedAt ?? formatInstant(now));
  const first =
    query.start_date === undefined ? await firstAssignment(deps.db, experiment.id) : null;
  const started = [experiment.startedAt, first].flatMap((time) =>
    time === null ? [] : [micros(time)],
  );
  const wanted =
    query.start_date === undefined ? Math.min(end, ...started) : micros(query.start_date);
  // Older events may be there or not, depending on when maintenance ran last.
  const start = Math.max(wanted, retentionFloor(deps.now(), deps.config.retentionMonths));
  const bucket = BUCKET_OF[query.granularity];
  const seriesStart =
    query.granularity === 'realtime' ? Math.max(start, end - REALTIME_SECONDS * 1e6) : start;
  if ((end - seriesStart) / 1e6 / BUCKET_SECONDS[bucket] > BUCKETS_MAX) throw tooManyBuckets();
  return {
    experimentId: experiment.id,
    eventTypes: query.event_type,
    start: formatInstant(start),
    end: formatInstant(end),
    contextFilters: filtersOf(query.filters, 'context.'),
    propertyFilters: filtersOf(query.filters, 'properties.'),
    needsQuantiles: metrics.some((metric) => QUANTILE_METRICS.includes(metric)),
    series: { bucket, start: formatInstant(seriesStart) },
  };
}

function filtersOf(filters: ResultsQuery['filters'], prefix: string): readonly Filter[] {
  return Object.entries(filters ?? {})
    .filter(([name]) => name.startsWith(prefix))
    .map(([name, value]: [string, FilterScalar | FilterScalar[]]) => ({
      name: name.slice(prefix.length),
      values: [value].flat(),
    }));
}

function tooManyBuckets(): DomainError {
  const message = `would give more than ${BUCKETS_MAX} buckets; choose a coarser one or a shorter time`;
  return new DomainError('invalid', `granularity: ${message}`, {
    errors: [{ path: 'granularity', message }],
  });
}

/** Asks the wanted store; `auto` takes ClickHouse where it has come far enough. */
async function ask(deps: ResultsDeps, question: Question, query: ResultsQuery): Promise<Sourced> {
  const { clickhouse } = deps;
  const prefersPostgres = query.granularity === 'realtime' && query.source === 'auto';
  if (query.source === 'postgresql' || prefersPostgres) return fromPostgres(deps, question);
  if (clickhouse === undefined) {
    if (query.source === 'auto') return fromPostgres(deps, question);
    throw new DomainError(
      'unavailable',
      'This installation has no ClickHouse (CLICKHOUSE_URL=none)',
    );
  }
  try {
    const watermark = await readWatermark(clickhouse);
    const now = deps.now() * 1000;
    const end = must(parseInstant(question.end), 'the question has a time');
    const isFresh = watermark !== null && watermark >= Math.min(end, now - FRESH_ENOUGH);
    if (query.source === 'auto' && !isFresh) {
      return { ...(await fromPostgres(deps, question)), note: 'ClickHouse is behind' };
    }
    return {
      answer: await askClickHouse(clickhouse, question),
      source: 'clickhouse',
      asOf: formatInstant(watermark ?? 0),
      lagMs: watermark === null ? null : Math.max(0, Math.round((now - watermark) / 1000)),
    };
  } catch (cause) {
    if (query.source === 'clickhouse') {
      throw new DomainError('unavailable', 'ClickHouse does not answer', { cause });
    }
    deps.log.warn({ error: (cause as Error).message }, 'results come from PostgreSQL instead');
    return { ...(await fromPostgres(deps, question)), note: 'ClickHouse does not answer' };
  }
}

async function fromPostgres({ db }: ResultsDeps, question: Question): Promise<Sourced> {
  const { asOf, ...answer } = await inTransaction(db, (tx) => askPostgres(tx, question), 'READ');
  return { answer, source: 'postgresql', asOf, lagMs: 0 };
}
