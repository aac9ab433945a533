import {
  CHECK_STATUSES,
  type CheckStatus,
  HEALTH_CHECKS,
  type HealthCheck,
  type ResultsHealth,
} from '@assay/contract';

// The checks of a result's health as one list of sentences, the worst first.

/** What the checks are about. */
export interface HealthFindings extends Omit<ResultsHealth, 'status' | 'checks'> {
  /** Assigned, of all variants. */
  readonly users: number;
  /** Of the users, 0 … 1. */
  readonly conflictShare: number;
  readonly minSample: number;
  /** The sentence where nobody is counted. */
  readonly nobody: string;
  /** Whether every version tells what it was to be decided by; old ones do not. */
  readonly isPlanKnown: boolean;
}

const severity = (status: CheckStatus): number => CHECK_STATUSES.indexOf(status);

export const worst = (statuses: readonly CheckStatus[]): CheckStatus =>
  statuses.reduce((a, b) => (severity(b) > severity(a) ? b : a), 'ok');

/** A split's status, to which few users are no trouble. */
const ofSrm = (status: CheckStatus | 'not_enough_data'): CheckStatus =>
  status === 'not_enough_data' ? 'ok' : status;

type Verdict = readonly [CheckStatus, message: string];
/** Null where there is nothing to check. */
type Check = (findings: HealthFindings) => Verdict | null;

const plural = (count: number, one: string, many: string): string =>
  `${count} ${count === 1 ? one : many}`;
const quoted = (keys: readonly string[]): string => keys.map((key) => `"${key}"`).join(', ');
/** A p-value as people read it. */
const p = (value: number | null, name = 'p'): string =>
  value === null ? 'a variant has users and no share' : `${name} = ${Number(value.toPrecision(2))}`;
const percent = (share: number): string => `${Number((100 * share).toPrecision(2))} %`;

/** Shares of the users with conflicts from which they are a doubt, and a fault. */
const CONFLICTS = { warning: 0.001, alarm: 0.01 };

const CHECKS: Readonly<Record<HealthCheck['check'], Check>> = {
  srm: ({ srm }) => {
    const { sequential } = srm;
    if (srm.status === 'alarm' || (srm.status === 'warning' && sequential.status !== 'alarm')) {
      const words = srm.status === 'alarm' ? 'is not' : 'is unlikely to be';
      return [srm.status, `The split of the users ${words} the planned one (${p(srm.p_value)}).`];
    }
    if (sequential.status === 'alarm') {
      return [
        'alarm',
        `The split of the users was off at some time (${p(sequential.p_value)} over all days).`,
      ];
    }
    if (srm.status === 'not_enough_data')
      return ['ok', 'There are too few users to check the split.'];
    return ['ok', `The split of the users is as planned (${p(srm.p_value)}).`];
  },
  srm_segments: ({ srm }) => {
    if (srm.by_segment.length === 0) return null;
    const items = srm.by_segment.flatMap((list) =>
      list.items.map((item) => ({ ...item, by: list.by })),
    );
    const off = items.filter(({ status }) => ofSrm(status) !== 'ok');
    const status = worst(off.map((item) => ofSrm(item.status)));
    const [first] = off;
    if (first === undefined) return [status, 'The split is as planned within every segment.'];
    const name = first.segment === null ? `missing ${first.by}` : `${first.by} "${first.segment}"`;
    const others = off.length === 1 ? '' : ` and in ${plural(off.length - 1, 'other', 'others')}`;
    return [
      status,
      `The split is off in ${name}${others} (${p(first.p_value_adjusted, 'adjusted p')}).`,
    ];
  },
  conflicts: ({ conflicts, conflictShare: share }) => {
    if (conflicts === 0) return ['ok', 'No user was reported with another variant.'];
    const isAbove = (limit: number): boolean => share >= limit;
    const status = isAbove(CONFLICTS.alarm)
      ? 'alarm'
      : isAbove(CONFLICTS.warning)
        ? 'warning'
        : 'ok';
    const who = plural(conflicts, 'user was', 'users were');
    return [
      status,
      `${who} reported with another variant than the stored one (${percent(share)}).`,
    ];
  },
  missing_events: ({ missing_events: keys, users, minSample }) => {
    if (keys.length === 0) return ['ok', 'Every goal has events.'];
    const status = users >= minSample ? 'alarm' : 'warning';
    return [
      status,
      `No event has been seen for ${quoted(keys)}, among ${plural(users, 'user', 'users')}.`,
    ];
  },
  contaminated_covariates: ({ contaminated_covariates: keys, pre_period_imbalance: tests }) => {
    if (keys.length > 0) {
      return [
        'alarm',
        `What users did before their assignment moves ${quoted(keys)} by more than chance: the covariate may not be from before.`,
      ];
    }
    return tests.length === 0 ? null : ['ok', 'No covariate moves a result by more than chance.'];
  },
  pre_period_imbalance: ({ pre_period_imbalance: tests }) => {
    if (tests.length === 0) return null;
    const status = worst(tests.map((test) => test.status));
    if (status === 'ok') return ['ok', 'Variants did not differ before the assignment.'];
    const off = tests.filter((test) => test.status !== 'ok');
    const [first] = [...off].sort((a, b) => a.p_value - b.p_value);
    const where = first === undefined ? '' : ` "${first.variant}" in "${first.metric}"`;
    return [
      status,
      `Variants differed before the assignment:${where} (${p(first?.p_value_adjusted ?? null, 'adjusted p')}).`,
    ];
  },
  data_freshness: ({ data_freshness: { status, lag_ms, as_of } }) => {
    if (as_of === null) return [status, 'No data has arrived yet.'];
    if (status === 'ok') return [status, `The data is as of ${as_of}.`];
    const seconds = plural(Math.round((lag_ms ?? 0) / 1000), 'second', 'seconds');
    return [status, `The data is ${seconds} old (as of ${as_of}).`];
  },
  quarantined_events: ({ quarantined_events: count }) =>
    count === 0
      ? ['ok', 'Nothing of this experiment is in quarantine.']
      : [
          'warning',
          `${plural(count, 'item', 'items')} of this experiment could not be stored and ${count === 1 ? 'is' : 'are'} in quarantine.`,
        ],
  plan_changed: ({ plan_changes: changes, isPlanKnown }) => {
    if (changes.length === 0) {
      return isPlanKnown
        ? [
            'ok',
            'Method, level, planned size and end, goals, guardrails and shares are those of the start.',
          ]
        : ['ok', 'No change of the plan is known; its first versions were not kept.'];
    }
    const names = changes.map(({ field, metric }) =>
      metric === undefined ? field : `the meaning of "${metric}"`,
    );
    const fields = [...new Set(names)].join(', ');
    const [last] = changes.slice(-1);
    return [
      'warning',
      `Changed after the start, when results could be seen: ${fields} (last on ${last?.time.slice(0, 10)}). Error rates hold only if that had nothing to do with results.`,
    ];
  },
  too_few_users: ({ too_few_users: keys, users, minSample, nobody }) => {
    if (users === 0) return ['warning', nobody];
    if (keys.length === 0) return ['ok', `Every variant has at least ${minSample} users.`];
    const have = keys.length === 1 ? 'has' : 'have';
    return ['warning', `${quoted(keys)} ${have} fewer than ${minSample} users.`];
  },
};

/** All checks that apply, the worst first, in the order of HEALTH_CHECKS among equals. */
export function checksOf(findings: HealthFindings): readonly HealthCheck[] {
  return HEALTH_CHECKS.flatMap((check): HealthCheck[] => {
    const verdict = CHECKS[check](findings);
    return verdict === null ? [] : [{ check, status: verdict[0], message: verdict[1] }];
  }).sort((a, b) => severity(b.status) - severity(a.status));
}
