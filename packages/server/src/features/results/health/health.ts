import type { CheckStatus, ResultsHealth } from '@assay/contract';
import { parseInstant } from '@assay/core';
import {
  type Analysis,
  type AnalysisOptions,
  type HealthBlock,
  prePeriodTests,
  type SrmStatus,
} from '@assay/core/analysis';
import { srmLevel } from '@assay/core/stats';
import { must } from '../../../errors.ts';
import type { ExperimentRecord, ExperimentVersion } from '../../experiments/experiment.ts';
import { analysisArms, analysisInput, type Population } from '../analysis-input.ts';
import type { Sourced } from '../choose-source.ts';
import { nobodyCounted } from '../counted.ts';
import type { Question } from '../question.ts';
import type { Redefinition } from '../redefinitions.ts';
import { checksOf, worst } from './checks.ts';
import { type Conflicts, conflictShareOf, conflictsOf } from './conflicts.ts';
import { missingEvents } from './missing-events.ts';
import { planChanges } from './plan-changes.ts';
import { rootCauseOf } from './root-cause.ts';
import type { Split } from './split.ts';
import { type SplitSegments, srmOf } from './srm.ts';

/** What went wrong with what was sent. */
export interface Trouble {
  readonly conflicts: Conflicts;
  /** Items of the experiment. */
  readonly quarantined: number;
}

/** What the health of a result is judged by. */
export interface HealthInput {
  readonly experiment: ExperimentRecord;
  readonly versions: readonly ExperimentVersion[];
  readonly question: Question;
  readonly sourced: Sourced;
  readonly trouble: Trouble;
  readonly redefinitions: readonly Redefinition[];
  readonly options: AnalysisOptions;
}

/** Whether the numbers of a result can be believed. Pure. */
export function healthOf(
  input: HealthInput,
  population: Population,
  analysis: Analysis,
): ResultsHealth {
  const { question, sourced, trouble, options } = input;
  const { answer, asOf, lagMs } = sourced;
  const arms = analysisArms(population);
  const users = arms.reduce((sum, arm) => sum + arm.users, 0);
  const conflictShare = conflictShareOf(trouble.conflicts, users);
  const found: Omit<ResultsHealth, 'status' | 'checks'> = {
    srm: splitHealth(input, conflictShare),
    conflicts: conflictsOf(trouble.conflicts),
    quarantined_events: trouble.quarantined,
    plan_changes: planChanges(input.versions, input.redefinitions),
    lag_ms: lagMs,
    data_freshness: { as_of: asOf, lag_ms: lagMs, status: freshness(sourced, question) },
    missing_events: [...missingEvents(population, answer, question)],
    contaminated_covariates: [...contaminated(analysis)],
    pre_period_imbalance: imbalance(population, options),
    too_few_users: arms.filter((arm) => arm.users < options.minSample).map(({ key }) => key),
  };
  const checks = checksOf({
    ...found,
    users,
    conflictShare,
    minSample: options.minSample,
    nobody: nobodyCounted(question),
    isPlanKnown: input.versions.every(({ plan }) => plan !== null),
  });
  return { status: worst(checks.map(({ status }) => status)), checks: [...checks], ...found };
}

/** The split, with the search for a cause where it is off. */
function splitHealth(
  { experiment, versions, question, sourced }: HealthInput,
  conflictShare: number,
): ResultsHealth['srm'] {
  const { versions: counts } = sourced.answer;
  const split: Split = { variants: experiment.variants, versions, counts };
  const { segmentBy, contextFilters } = question;
  const segments: readonly SplitSegments[] =
    segmentBy === null ? [] : [{ by: `context.${segmentBy}`, counts }];
  const srm = srmOf(split, segments);
  if (splitStatus(srm) !== 'alarm') return srm;
  const circumstances = {
    conflictShare,
    filteredBy: contextFilters.map(({ name }) => `context.${name}`),
  };
  return { ...srm, root_cause: rootCauseOf(split, segments, circumstances, true) };
}

/** The status that decides: an alarm that was right at any time stays one. */
export const splitStatus = (srm: Pick<ResultsHealth['srm'], 'status' | 'sequential'>): SrmStatus =>
  srm.sequential.status === 'alarm' ? 'alarm' : srm.status;

/** Faults that forbid a winner; contaminated covariates the recommendation finds itself. */
export const blocksOf = ({
  missing_events,
}: Pick<ResultsHealth, 'missing_events'>): HealthBlock[] =>
  missing_events.map((metric) => ({ kind: 'missing_events', metric }));

/** How old the data may be, in milliseconds, before it is a doubt, and a fault. */
const LAG = { warning: 60_000, alarm: 900_000 };

function freshness({ asOf, lagMs }: Sourced, { end }: Question): CheckStatus {
  if (asOf === null || lagMs === null) return 'alarm';
  const micros = (time: string): number => must(parseInstant(time), 'stores give times');
  // Nothing after the end is wanted, so nothing is missing.
  if (micros(asOf) >= micros(end)) return 'ok';
  return lagMs >= LAG.alarm ? 'alarm' : lagMs >= LAG.warning ? 'warning' : 'ok';
}

const contaminated = ({ metrics }: Analysis): readonly string[] =>
  metrics
    .filter(({ comparisons }) =>
      comparisons.some((comparison) => comparison?.flags.includes('COVARIATE_CONTAMINATION')),
    )
    .map(({ key }) => key);

/** Every look tests anew, so the levels are as strict as those of the split. */
function imbalance(
  population: Population,
  options: AnalysisOptions,
): ResultsHealth['pre_period_imbalance'] {
  const { arms, metrics } = analysisInput(population, options);
  return prePeriodTests(arms, metrics).map(({ metric, arm, pValue, pValueAdjusted }) => ({
    metric,
    variant: arm,
    status: srmLevel(pValueAdjusted),
    p_value: pValue,
    p_value_adjusted: pValueAdjusted,
  }));
}
