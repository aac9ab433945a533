import type { Srm } from '@assay/contract';
import { shownPValue } from '@assay/core/analysis';
import { periodsSrm, type WeightPeriod } from '@assay/core/stats';
import { compareText } from '../../../compare-text.ts';
import type { ExperimentRecord, ExperimentVersion } from '../../experiments/experiment.ts';
import type { VersionCount } from '../question.ts';

// Counts of users as the tests of a split take them: each version expects its own shares of its own
// users, and versions of the same shares are one.

/** How an experiment's users are split, and what they were to be split by. */
export interface Split {
  readonly variants: ExperimentRecord['variants'];
  /** In order. */
  readonly versions: readonly ExperimentVersion[];
  readonly counts: readonly VersionCount[];
}

/** The counts of all users, not those of single days, sources or segments. */
export const wholeCounts = ({ counts }: Split): readonly VersionCount[] =>
  counts.filter(
    ({ day, source, segment }) =>
      day === undefined && source === undefined && segment === undefined,
  );

/** The shares that a version gave the variants, in their order; of an unknown one, today's. */
export function sharesOf({ variants, versions }: Split, version: number): readonly number[] {
  const allocations = versions.find((row) => row.version === version)?.allocations;
  return variants.map(({ id, allocation }) =>
    allocations === undefined
      ? allocation
      : (allocations.find(({ variantId }) => variantId === id)?.allocation ?? 0),
  );
}

/** Counts as periods of the same shares, in one order whatever the order of the counts. */
export function periodsOf(
  split: Split,
  counts: readonly VersionCount[],
): readonly (WeightPeriod & { readonly name: string })[] {
  const periods = new Map<string, { weights: readonly number[]; counts: number[] }>();
  for (const { version, variantId, users } of counts) {
    const weights = sharesOf(split, version);
    const name = weights.join(' ');
    const period = periods.get(name) ?? { weights, counts: weights.map(() => 0) };
    const arm = split.variants.findIndex(({ id }) => id === variantId);
    if (arm !== -1) period.counts[arm] = (period.counts[arm] ?? 0) + users;
    periods.set(name, period);
  }
  return [...periods]
    .map(([name, period]) => ({ ...period, name }))
    .sort((a, b) => compareText(a.name, b.name));
}

/** Users of each variant, as they are and as they were expected. */
export function sumsOf(arms: number, periods: readonly WeightPeriod[]) {
  const observed = new Array<number>(arms).fill(0);
  const expected = new Array<number>(arms).fill(0);
  for (const { counts, weights } of periods) {
    const users = counts.reduce((sum, count) => sum + count, 0);
    const all = weights.reduce((sum, weight) => sum + weight, 0);
    for (let arm = 0; arm < arms; arm++) {
      observed[arm] = (observed[arm] ?? 0) + (counts[arm] ?? 0);
      expected[arm] = (expected[arm] ?? 0) + (users * (weights[arm] ?? 0)) / all;
    }
  }
  return { observed, expected };
}

/** What the test of a split says. */
export function testSplit(periods: readonly WeightPeriod[]): Pick<Srm, 'status' | 'p_value'> {
  const test = periodsSrm(periods);
  // Users where none should be are a mismatch beyond doubt; no users are none.
  if (test.status === 'UNEXPECTED_ARM') return { status: 'alarm', p_value: null };
  if (test.status !== 'ok' || test.pValue === null) {
    return { status: 'not_enough_data', p_value: null };
  }
  return { status: test.level, p_value: shownPValue(test.pValue) };
}

/** For each variant, how many percentage points of the users it has more than expected. */
export function deviationOf(observed: readonly number[], expected: readonly number[]): number[] {
  const users = observed.reduce((sum, count) => sum + count, 0);
  return observed.map((count, arm) =>
    users === 0 ? 0 : (100 * (count - (expected[arm] ?? 0))) / users,
  );
}
