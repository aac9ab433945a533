import type { Results, ResultsQuery } from '@assay/contract';
import type { Deps } from '../../deps.ts';
import { retentionFloor } from '../../retention.ts';
import type { ExperimentRecord } from '../experiments/experiment.ts';
import { listVersions, requireExperiment } from '../experiments/service.ts';
import { versionsNamed } from '../metrics/service-names.ts';
import { alphaOf } from './alpha.ts';
import { analysisOptions } from './analysis-input.ts';
import { askSource, RESULT_STORES, type Sourced } from './choose-source.ts';
import { countConflicts, countQuarantined } from './health/store.ts';
import { ARMS_MAX, COUNTS_MAX, type Question, SERIES_ROWS_MAX } from './question.ts';
import { redefinitionsOf } from './redefinitions.ts';
import { firstReported } from './store-postgres.ts';
import { tooManyBuckets, tooManySegments, toQuestion } from './to-question.ts';
import { type ResultsBundle, toResults } from './to-results.ts';
import { metricsToUse, type UsedMetric } from './use-metrics.ts';

export type ResultsDeps = Pick<Deps, 'db' | 'resultsDb' | 'clickhouse' | 'config' | 'now' | 'log'>;

/** The results of an experiment, computed from the store that the query asks for. */
export async function getResults(
  deps: ResultsDeps,
  ref: string,
  query: ResultsQuery,
): Promise<Results> {
  const startedAt = performance.now();
  const bundle = await gatherBundle(deps, ref, query);
  return toResults(bundle, Math.round(performance.now() - startedAt));
}

/** Reads all that a result is computed from. */
export async function gatherBundle(
  deps: ResultsDeps,
  ref: string,
  query: ResultsQuery,
): Promise<ResultsBundle> {
  const experiment = await requireExperiment(deps.db, ref);
  const uses = await metricsToUse(deps.db, experiment, query);
  const { confidence_level, method } = experiment.analysis;
  const alpha = alphaOf(query.confidence_level ?? confidence_level);
  const chosen = {
    method: query.method ?? method,
    alpha,
    minSample: query.min_sample,
  };
  const framed = await framedQuestion(deps, experiment, query, uses, alpha);
  const { question, ...sourced } = await askChecked(deps, framed, query);
  const deciding = experiment.metrics.filter(({ role }) => role !== 'secondary');
  const [versions, conflicts, quarantined, definitions] = await Promise.all([
    // After the users, so that the version of each of them is among these.
    listVersions(deps.db, experiment.id),
    countConflicts(deps.db, question),
    countQuarantined(deps.db, experiment),
    versionsNamed(
      deps.db,
      deciding.map(({ metric }) => metric),
    ),
  ]);
  return {
    experiment,
    versions,
    uses,
    query: {
      granularity: query.granularity,
      include_ci: query.include_ci,
      ...(query.segment_by === undefined ? {} : { segment_by: query.segment_by }),
    },
    question,
    sourced,
    trouble: { conflicts, quarantined },
    redefinitions: redefinitionsOf(experiment, versions, definitions),
    options: analysisOptions(experiment, chosen, deps.now(), question.end),
  };
}

/** What the store that a bundle was read from answers now to the same question. */
export const askAgain = (
  deps: ResultsDeps,
  { question, query, sourced }: ResultsBundle,
): Promise<Sourced> =>
  askChecked(deps, question, { source: sourced.source, granularity: query.granularity });

async function askChecked(
  deps: ResultsDeps,
  question: Question,
  query: Pick<ResultsQuery, 'source' | 'granularity'>,
): Promise<Sourced & { readonly question: Question }> {
  const sourced = await askSource(deps, RESULT_STORES, question, query);
  if (sourced.answer.series.length > SERIES_ROWS_MAX) throw tooManyBuckets();
  const { users, versions } = sourced.answer;
  if (users.length > ARMS_MAX) throw tooManySegments();
  if (question.segmentBy !== null && versions.length > COUNTS_MAX) throw tooManySegments();
  return sourced;
}

/** A query as a question, within the time for which there are users and events. */
export async function framedQuestion(
  { db, config, now }: Pick<Deps, 'db' | 'config' | 'now'>,
  experiment: ExperimentRecord,
  query: ResultsQuery,
  uses: readonly UsedMetric[],
  alpha: number,
): Promise<Question> {
  const nowMs = now();
  const metrics = uses.map(({ metric }) => metric);
  return toQuestion(query, metrics, alpha, {
    experimentId: experiment.id,
    now: nowMs * 1000,
    startedAt: experiment.startedAt,
    stoppedAt: experiment.stoppedAt,
    firstAssignedAt: query.start_date === undefined ? await firstReported(db, experiment.id) : null,
    retentionFloor: retentionFloor(nowMs, config.retentionMonths),
  });
}
