import { isDeepStrictEqual } from 'node:util';
import type { ResultsHealth } from '@assay/contract';
import type { ExperimentPlan, ExperimentVersion } from '../../experiments/experiment.ts';

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

/** What was changed after the start of that by which an experiment is decided, in order. */
export function planChanges(
  versions: readonly Pick<ExperimentVersion, 'version' | 'effectiveAt' | 'plan'>[],
): ResultsHealth['plan_changes'] {
  let before: ExperimentPlan | null = null;
  return versions
    .flatMap(({ version, effectiveAt, plan }) => {
      const [was, is] = [before, plan];
      before = plan ?? before;
      if (was === null || is === null) return [];
      const names = Object.keys(FIELDS) as (keyof ExperimentPlan)[];
      return names
        .filter((name) => !isDeepStrictEqual(was[name], is[name]))
        .map((name) => ({ field: FIELDS[name], version, time: effectiveAt }));
    })
    .slice(-CHANGES_MAX);
}
