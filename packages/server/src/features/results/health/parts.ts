import type { SrmContribution } from '@assay/contract';
import { periodsSrm, srmContributions, type WeightPeriod } from '@assay/core/stats';
import {
  deviationOf,
  groupedBy,
  periodsOf,
  type Split,
  shownPValue,
  sumsOf,
  wholeCounts,
} from './split.ts';
import type { SplitSegments } from './srm.ts';

/** One part of the users with what it has to do with the mismatch. */
export interface Part extends SrmContribution {
  /** Of all other parts of the dimension together; null without others. */
  readonly pValueOfRest: number | null;
  /** That it is split as they are; adjusted as `p_value_adjusted` is. */
  readonly pValueOfDifference: number | null;
}

/** One way to cut the users into parts. */
export interface Cut {
  readonly dimension: SrmContribution['dimension'];
  readonly attribute: string | null;
  /** Of those with enough users for a test; the strongest first. */
  readonly parts: readonly Part[];
}

/** The users by day, version and source, and by each attribute. */
export function cutsOf(split: Split, segments: readonly SplitSegments[]): readonly Cut[] {
  const whole = wholeCounts(split);
  const of = (
    dimension: Cut['dimension'],
    attribute: string | null,
    groups: ReadonlyMap<string | null, Split['counts']>,
  ): Cut => ({ dimension, attribute, parts: partsOf(split, { dimension, attribute }, groups) });
  return [
    of(
      'day',
      null,
      groupedBy(split.counts, ({ day }) => (day === undefined ? day : dateOf(day))),
    ),
    of(
      'version',
      null,
      groupedBy(whole, ({ version }) => `${version}`),
    ),
    of(
      'source',
      null,
      groupedBy(split.counts, ({ source }) => source),
    ),
    ...segments.map(({ by, counts }) =>
      of(
        'segment',
        by,
        groupedBy(counts, (row) => row.segment),
      ),
    ),
  ];
}

/** @param day seconds since the epoch */
const dateOf = (day: number): string => new Date(day * 1000).toISOString().slice(0, 10);

function partsOf(
  { variants, ...split }: Split,
  place: Pick<SrmContribution, 'dimension' | 'attribute'>,
  groups: ReadonlyMap<string | null, Split['counts']>,
): readonly Part[] {
  const values = [...groups].map(([value, counts]) => {
    const periods = periodsOf({ variants, ...split }, counts);
    return { value, periods };
  });
  const found = srmContributions(values.map(({ periods }) => periods));
  if (found.status !== 'ok') return [];
  const testable = values.filter(({ periods }) => isTestable(periods)).length;
  const parts = values.flatMap(({ value, periods }, index): Part[] => {
    const contribution = found.parts[index];
    if (contribution === undefined || !isTestable(periods)) return [];
    const { observed, expected } = sumsOf(variants.length, periods);
    const most = worstArm(observed, expected);
    const adjusted = (p: number): number => Math.min(1, testable * p);
    const pValue = shownPValue(contribution.pValue);
    const { pValueOfRest, pValueOfDifference } = contribution;
    return [
      {
        ...place,
        value,
        users: observed.reduce((sum, count) => sum + count, 0),
        share_of_users: contribution.shareOfUnits,
        share_of_excess: contribution.shareOfExcess,
        chi_square: contribution.chiSquare,
        standardised: contribution.standardised,
        p_value: pValue,
        p_value_adjusted: adjusted(pValue),
        variant: variants[most]?.key ?? '',
        deviation_pct_points: deviationOf(observed, expected)[most] ?? 0,
        pValueOfRest,
        pValueOfDifference: pValueOfDifference === null ? null : adjusted(pValueOfDifference),
      },
    ];
  });
  return parts.sort((a, b) => b.standardised - a.standardised);
}

/** χ² of a handful of users is no χ². */
const isTestable = (periods: readonly WeightPeriod[]): boolean => {
  const test = periodsSrm(periods);
  return test.status === 'ok' && test.test === 'chi_square';
};

/** The arm that is furthest from what is expected, in its standard deviations. */
function worstArm(observed: readonly number[], expected: readonly number[]): number {
  const distances = observed.map((count, arm) => {
    const units = expected[arm] ?? 0;
    return units === 0 ? 0 : Math.abs(count - units) / Math.sqrt(units);
  });
  return distances.indexOf(Math.max(...distances));
}
