import type { PowerRequest, PowerResult, Results } from '@assay/contract';
import type { PlannedKind } from '@assay/core/analysis';
import { must } from '../../errors.ts';
import type { ExperimentRecord, VariantRecord } from '../experiments/experiment.ts';
import { alphaOf } from '../results/alpha.ts';
import type { Traffic } from './store.ts';

/** A number or a word, and where it came from. */
export interface Fact<T> {
  readonly value: T;
  readonly source: PowerResult['assumptions'][number]['source'];
  readonly note?: string;
}

/** What is known of a plan, by the names of the request. */
export type Known = {
  readonly [Name in keyof PowerRequest]?: Fact<NonNullable<PowerRequest[Name]>>;
};

/** Metrics that can be planned for without a definition; totals are compared with nothing. */
export const BUILT_IN_KINDS: Readonly<Record<string, PlannedKind>> = {
  conversion_rate: 'conversion',
  events_per_user: 'count',
  value_per_user: 'sum',
  avg_value: 'mean',
  median_value: 'quantile',
  p95_value: 'quantile',
};

const DEFAULT_METRIC = 'conversion_rate';

/** The metric that a plan for an experiment is about: its first goal, when none is named. */
export function metricOf(experiment: ExperimentRecord, asked: string | undefined): string {
  return asked ?? experiment.metrics.find(({ role }) => role === 'goal')?.metric ?? DEFAULT_METRIC;
}

/** The arms of an experiment, the control first; a treatment without a share gets no users. */
export const armsOf = ({ variants }: ExperimentRecord): readonly VariantRecord[] =>
  [...variants]
    .sort((a, b) => Number(b.isControl) - Number(a.isControl) || a.position - b.position)
    .filter(({ isControl, allocation }) => isControl || allocation > 0);

/** What the definition of an experiment says. @param kind of the metric, undefined for a total */
export function definitionFacts(
  experiment: ExperimentRecord,
  metric: string,
  kind: PlannedKind | undefined,
): Known {
  const { analysis, metrics } = experiment;
  const fact = <T>(value: T, note?: string): Fact<T> => ({
    value,
    source: 'experiment',
    ...(note === undefined ? {} : { note }),
  });
  const use = metrics.find((candidate) => candidate.metric === metric);
  const countOf = (role: string): number => metrics.filter((item) => item.role === role).length;
  return {
    ...(kind === undefined ? {} : { kind: fact(kind, `of the metric ${metric}`) }),
    ...(use === undefined ? {} : { role: fact(use.role === 'guardrail' ? 'guardrail' : 'goal') }),
    ...(use?.margin === undefined ? {} : { margin: fact(use.margin) }),
    method: fact(analysis.method),
    alpha: fact(alphaOf(analysis.confidence_level)),
    allocation: fact(armsOf(experiment).map(({ allocation }) => allocation / 100)),
    planned: fact(
      analysis.expected_users !== null,
      analysis.expected_users === null
        ? 'it has no expected_users; with these set to total_users, a sequential experiment needs far fewer users'
        : 'it has expected_users; set them to total_users',
    ),
    goals: fact(Math.max(1, countOf('goal'))),
    guardrails: fact(countOf('guardrail')),
  };
}

/**
 * What the results of an experiment say of one user: the value of the control, its standard error
 * times √users (which is the standard deviation of one user, whatever the kind of the metric), and
 * the correlation whose square CUPED takes off the variance.
 */
export function resultFacts(results: Results, metric: string): Known {
  const control = must(
    results.variants.find(({ is_control }) => is_control),
    'exactly one variant is the control',
  );
  const shown = control.metrics[metric];
  if (shown === undefined || shown.value === null || control.assigned_users === 0) return {};
  const { start_date, end_date } = results.metadata;
  const note = `of ${control.assigned_users} users of "${control.key}" from ${start_date} to ${end_date}; values per user grow with the time they have`;
  const fact = (value: number): Fact<number> => ({ value, source: 'results', note });
  const reductions = results.variants.flatMap(
    ({ metrics }) => metrics[metric]?.vs_control?.cuped?.variance_reduction ?? [],
  );
  return {
    baseline: fact(shown.value),
    ...(shown.standard_error === null
      ? {}
      : { standard_deviation: fact(shown.standard_error * Math.sqrt(control.assigned_users)) }),
    // The least of the treatments': a plan must hold for each of them.
    ...(reductions.length === 0
      ? {}
      : { cuped_correlation: fact(Math.sqrt(Math.max(0, Math.min(...reductions)))) }),
  };
}

const WEEK_DAYS = 7;

/** Users who come, as traffic shows them. */
export interface Coming {
  readonly known: Known;
  /** Their cumulative number by the end of each day; empty for less than a week. */
  readonly observed: readonly number[];
}

/**
 * What traffic says. From a week on, its users day by day as they came, and
 * then on at the pace of the last week; below, their mean. Nothing before the first whole day.
 *
 * @param who the users are, in words
 */
export function trafficFacts({ days, newUsers, since, until }: Traffic, who: string): Coming {
  const usersOf = new Map(newUsers.map(({ day, users }) => [day, users]));
  const daily = Array.from({ length: days }, (_, day) => usersOf.get(day) ?? 0);
  const sum = (counts: readonly number[]): number => counts.reduce((a, b) => a + b, 0);
  if (sum(daily) === 0) return { known: {}, observed: [] };
  const isCurve = days >= WEEK_DAYS;
  const recent = daily.slice(-WEEK_DAYS);
  const span = `${who}, new on each of ${days} days, ${since} to ${until}`;
  const how = isCurve
    ? `the duration follows their cumulative number, then this mean of the last ${WEEK_DAYS} days`
    : 'their mean, since there is less than a week';
  return {
    known: {
      daily_users: {
        value: sum(recent) / recent.length,
        source: 'traffic',
        note: `${span}: ${how}`,
      },
    },
    observed: isCurve ? daily.map((_, day) => sum(daily.slice(0, day + 1))) : [],
  };
}
