import type { SrmContribution } from '@assay/contract';
import { shownPValue } from '@assay/core/analysis';
import { periodsSrm, srmContributions, type WeightPeriod } from '@assay/core/stats';
import { compareText } from '../../../compare-text.ts';
import { groupedBy } from '../grouped-by.ts';
import { deviationOf, periodsOf, type Split, sumsOf, wholeCounts } from './split.ts';
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
  /** Of those with enough users for a test; the strongest first, equal ones by value. */
  readonly parts: readonly Part[];
}

/** The users by day, version and source, and by each attribute. */
export function cutsOf(split: Split, segments: readonly SplitSegments[]): readonly Cut[] {
  const days = groupedBy(split.counts, ({ day }) => (day === undefined ? day : dateOf(day)));
  const versions = groupedBy(wholeCounts(split), ({ version }) => `${version}`);
  const sources = groupedBy(split.counts, ({ source }) => source);
  return [
    cutOf(split, { dimension: 'day', attribute: null }, days),
    cutOf(split, { dimension: 'version', attribute: null }, versions),
    cutOf(split, { dimension: 'source', attribute: null }, sources),
    ...segments.map(({ by, counts }) => {
      const values = groupedBy(counts, ({ segment }) => segment);
      return cutOf(split, { dimension: 'segment', attribute: by }, values);
    }),
  ];
}

/** @param day seconds since the epoch */
const dateOf = (day: number): string => new Date(day * 1000).toISOString().slice(0, 10);

function cutOf(
  split: Split,
  place: Pick<Cut, 'dimension' | 'attribute'>,
  groups: ReadonlyMap<string | null, Split['counts']>,
): Cut {
  // Stores count in no order, and parts that are equally strong shall come in one all the same.
  const values = [...groups]
    .sort(([a], [b]) => compareText(a, b))
    .map(([value, counts]) => ({ value, periods: periodsOf(split, counts) }));
  const found = srmContributions(values.map(({ periods }) => periods));
  if (found.status !== 'ok') return { ...place, parts: [] };
  const tested = values.flatMap((part, index) => {
    const contribution = found.parts[index];
    return contribution !== undefined && isTestable(part.periods)
      ? [{ ...part, contribution }]
      : [];
  });
  const adjusted = (p: number): number => Math.min(1, tested.length * p);
  const parts = tested.map(({ value, periods, contribution }): Part => {
    const { pValueOfRest, pValueOfDifference } = contribution;
    const pValue = shownPValue(contribution.pValue);
    return {
      ...place,
      value,
      share_of_users: contribution.shareOfUnits,
      share_of_excess: contribution.shareOfExcess,
      chi_square: contribution.chiSquare,
      standardised: contribution.standardised,
      p_value: pValue,
      p_value_adjusted: adjusted(pValue),
      ...worstVariant(split, periods),
      pValueOfRest,
      pValueOfDifference: pValueOfDifference === null ? null : adjusted(pValueOfDifference),
    };
  });
  return { ...place, parts: parts.sort((a, b) => b.standardised - a.standardised) };
}

/** χ² of a handful of users is no χ². */
const isTestable = (periods: readonly WeightPeriod[]): boolean => {
  const test = periodsSrm(periods);
  return test.status === 'ok' && test.test === 'chi_square';
};

/** How many users there are, and the variant that is furthest, in standard deviations, from its share. */
function worstVariant({ variants }: Split, periods: readonly WeightPeriod[]) {
  const { observed, expected } = sumsOf(variants.length, periods);
  const distances = observed.map((count, arm) => {
    const units = expected[arm] ?? 0;
    return units === 0 ? 0 : Math.abs(count - units) / Math.sqrt(units);
  });
  const worst = distances.indexOf(Math.max(...distances));
  return {
    users: observed.reduce((sum, count) => sum + count, 0),
    variant: variants[worst]?.key ?? '',
    deviation_pct_points: deviationOf(observed, expected)[worst] ?? 0,
  };
}
