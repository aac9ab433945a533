import { isDeepStrictEqual } from 'node:util';
import type { ResultsHealth } from '@assay/contract';
import { must } from '../../../errors.ts';
import type { ExperimentPlan, ExperimentVersion } from '../../experiments/experiment.ts';
import type { Redefinition } from '../redefinitions.ts';

// An error rate is promised for a plan that stands before anybody looks. Results are live, so
// whoever changes it after the start may have looked.

/** More are not shown, the latest are. */
const CHANGES_MAX = 50;

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
  return [...editsOf(versions), ...redefined]
    .sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0))
    .slice(-CHANGES_MAX);
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

const changedFields = (was: ExperimentPlan, is: ExperimentPlan): readonly Field[] =>
  (Object.keys(FIELDS) as (keyof ExperimentPlan)[])
    .filter((name) => !isDeepStrictEqual(was[name], is[name]))
    .map((name) => FIELDS[name]);
