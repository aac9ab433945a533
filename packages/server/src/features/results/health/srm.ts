import type { Srm, SrmBySegment, SrmSegment } from '@assay/contract';
import { shownPValue } from '@assay/core/analysis';
import { periodsSequentialSrm, srmLevel, type WeightPeriod } from '@assay/core/stats';
import { compareText } from '../../../compare-text.ts';
import { groupedBy } from '../grouped-by.ts';
import { deviationOf, periodsOf, type Split, sumsOf, testSplit, wholeCounts } from './split.ts';

/** Points of the course over time beyond which days are left out. */
const POINTS_MAX = 400;
const SEGMENTS_MAX = 100;

/**
 * Sample ratio mismatch of the assigned users: as of now, over time, and within the segments of
 * attributes, without the search for its cause. Forced users are not among the counts.
 *
 * @param segments counts within the segments of each attribute, which has its `context.`
 */
export function srmOf(split: Split, segments: readonly SplitSegments[]): Omit<Srm, 'root_cause'> {
  const periods = periodsOf(split, wholeCounts(split));
  const { observed, expected } = sumsOf(split.variants.length, periods);
  const looks = looksOf(split);
  const sequential = sequentialOf(looks);
  return {
    ...testSplit(periods),
    observed,
    expected,
    deviation_pct_points: deviationOf(observed, expected),
    sequential: sequential.last,
    over_time: courseOf(looks, sequential.pValues),
    by_segment: segments.map((of) => segmentsOf(split, of)),
  };
}

/** Counts of users, each with its segment by one attribute. */
export interface SplitSegments {
  readonly by: string;
  readonly counts: Split['counts'];
}

/** All users up to the end of each day: for each of the periods, its totals so far. */
interface Looks {
  /** Seconds since the epoch, ascending. */
  readonly days: readonly number[];
  readonly periods: readonly {
    readonly weights: readonly number[];
    readonly cumulativeCounts: readonly (readonly number[])[];
  }[];
}

function looksOf(split: Split): Looks {
  const byDay = groupedBy(split.counts, ({ day }) => day);
  const days = [...byDay.keys()].sort((a, b) => a - b);
  const names = periodsOf(split, [...byDay.values()].flat());
  const perDay = days.map(
    (day) =>
      new Map(periodsOf(split, byDay.get(day) ?? []).map(({ name, counts }) => [name, counts])),
  );
  const periods = names.map(({ name, weights }) => {
    let total: readonly number[] = weights.map(() => 0);
    const cumulativeCounts = perDay.map((day) => {
      const counts = day.get(name);
      if (counts !== undefined) total = total.map((sum, arm) => sum + (counts[arm] ?? 0));
      return total;
    });
    return { weights, cumulativeCounts };
  });
  return { days, periods };
}

function sequentialOf({ days, periods }: Looks): {
  readonly last: Srm['sequential'];
  readonly pValues: readonly number[] | null;
} {
  const test = periodsSequentialSrm(periods);
  if (test.status !== 'ok' || days.length === 0) {
    const status = test.status === 'UNEXPECTED_ARM' ? 'alarm' : 'not_enough_data';
    return { last: { status, p_value: null, posterior: null }, pValues: null };
  }
  const pValue = test.pValue.at(-1) ?? 1;
  const posterior = test.posteriorProbabilityOfSrm.at(-1) ?? null;
  const last = { status: srmLevel(pValue), p_value: shownPValue(pValue), posterior };
  return { last, pValues: test.pValue };
}

/** The p-values of all users so far at the end of each day, or of so few days that they fit. */
function courseOf({ days, periods }: Looks, sequential: readonly number[] | null) {
  const step = Math.ceil(days.length / POINTS_MAX);
  return days.flatMap((day, look): Srm['over_time'] => {
    if ((days.length - 1 - look) % step !== 0) return [];
    const soFar = periods.map(
      ({ weights, cumulativeCounts }): WeightPeriod => ({
        weights,
        counts: cumulativeCounts[look] ?? [],
      }),
    );
    const anytime = sequential?.[look];
    return [
      {
        time: new Date(day * 1000).toISOString(),
        p_value: testSplit(soFar).p_value,
        sequential_p_value: anytime === undefined ? null : shownPValue(anytime),
      },
    ];
  });
}

/** Bonferroni over the segments: whoever looks at a hundred finds a p-value of 0.01 in one. */
function segmentsOf(split: Split, { by, counts }: SplitSegments): SrmBySegment {
  const tests = [...groupedBy(counts, ({ segment }) => segment)].map(([segment, rows]) => {
    const periods = periodsOf(split, rows);
    return { segment, ...testSplit(periods), ...sumsOf(split.variants.length, periods) };
  });
  const tested = tests.filter(({ p_value }) => p_value !== null).length;
  const items = tests.map((test): SrmSegment => {
    const adjusted = test.p_value === null ? null : Math.min(1, tested * test.p_value);
    const status = adjusted === null ? test.status : srmLevel(adjusted);
    return { ...test, status, p_value_adjusted: adjusted };
  });
  items.sort(
    (a, b) =>
      suspicion(a) - suspicion(b) || usersOf(b) - usersOf(a) || compareText(a.segment, b.segment),
  );
  return { by, tested, items: items.slice(0, SEGMENTS_MAX) };
}

/** From the most suspicious on: users where none should be, then by p-value, then the untested. */
const suspicion = ({ status, p_value_adjusted }: SrmSegment): number =>
  p_value_adjusted ?? (status === 'alarm' ? -1 : 2);

const usersOf = ({ observed }: SrmSegment): number =>
  observed.reduce((sum, count) => sum + count, 0);
