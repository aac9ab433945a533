import { isDeepStrictEqual } from 'node:util';
import type { ResultsHealth } from '@assay/contract';
import { compareText } from '../../../compare-text.ts';
import { must } from '../../../errors.ts';
import type { ExperimentPlan, ExperimentVersion } from '../../experiments/experiment.ts';
import { groupedBy } from '../grouped-by.ts';
import type { Redefinition } from '../redefinitions.ts';

// An error rate is promised for a plan that stands before anybody looks. Results are live, so
// whoever changes it after the start may have looked.

/** Of one thing more are not shown, the latest are; so none hides another. */
const CHANGES_MAX = 10;

const FIELDS = {
  method: 'analysis.method',
  confidence_level: 'analysis.confidence_level',
  expected_users: 'analysis.expected_users',
  ends_at: 'ends_at',
  metrics: 'metrics',
} as const satisfies Record<keyof ExperimentPlan, string>;

type Version = Pick<ExperimentVersion, 'version' | 'effectiveAt' | 'plan' | 'allocations'>;
type PlanChange = ResultsHealth['plan_changes'][number];

/**
 * What was changed after the start of that by which an experiment is decided, in order: its plan, what
 * its goals and guardrails mean, and the shares of its variants, which a plan takes to be constant.
 */
export function planChanges(
  versions: readonly Version[],
  redefinitions: readonly Redefinition[],
): ResultsHealth['plan_changes'] {
  const redefined = redefinitions.map(({ metric, time }): PlanChange => {
    const inForce = versions.findLast(({ effectiveAt }) => effectiveAt <= time);
    return { field: 'metrics', metric, version: must(inForce, 'it came after one').version, time };
  });
  const all = groupedBy([...editsOf(versions), ...redefined], ({ field, metric }) =>
    JSON.stringify([field, metric]),
  );
  return [...all.values()]
    .flatMap((changes) => changes.slice(-CHANGES_MAX))
    .sort((a, b) => compareText(a.time, b.time));
}

function editsOf(versions: readonly Version[]): readonly PlanChange[] {
  let before: ExperimentPlan | null = null;
  return versions.flatMap(({ version, effectiveAt, plan, allocations }, index) => {
    const was = before;
    before = plan ?? before;
    const isSplitAnew =
      index > 0 && !isDeepStrictEqual(versions[index - 1]?.allocations, allocations);
    const fields: Field[] = [
      ...(was === null || plan === null ? [] : changedFields(was, plan)),
      ...(isSplitAnew ? (['variants'] as const) : []),
    ];
    return fields.map((field) => ({ field, version, time: effectiveAt }));
  });
}

type Field = PlanChange['field'];

/** The order of metrics decides nothing but which goal is the first. */
const inOrder = (plan: ExperimentPlan): ExperimentPlan => {
  const first = plan.metrics.find(({ role }) => role === 'goal')?.metric;
  const rank = ({ metric }: { readonly metric: string }): string =>
    `${metric === first ? 0 : 1}${metric}`;
  const metrics = plan.metrics.toSorted((a, b) => compareText(rank(a), rank(b)));
  return { ...plan, metrics };
};

const changedFields = (was: ExperimentPlan, is: ExperimentPlan): readonly Field[] =>
  (Object.keys(FIELDS) as (keyof ExperimentPlan)[])
    .filter((name) => !isDeepStrictEqual(inOrder(was)[name], inOrder(is)[name]))
    .map((name) => FIELDS[name]);
