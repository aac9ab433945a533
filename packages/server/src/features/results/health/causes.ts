import type { SrmCause } from '@assay/contract';
import { srmTrend } from '@assay/core/stats';
import { groupedBy } from '../grouped-by.ts';
import type { Cut, Part } from './parts.ts';
import { periodsOf, type Split, sharesOf, wholeCounts } from './split.ts';

// From where a mismatch lies to what it usually comes from: the taxonomy of Fabijan et al. (KDD 2019).

/** Of the part alone, of the part against the rest; and what the rest may still be by chance. */
const LOCAL = 0.01;
/** Of a trend, and of parts that differ without one that stands out. */
const SURE = 0.001;
/** Share of users with conflicts from which these may explain something. */
const CONFLICTS_MIN = 0.001;

/** What the search knows beside the counts. */
export interface Circumstances {
  /** Share of the users who were reported with another variant than the stored one. */
  readonly conflictShare: number;
  /** Attributes by which users are left out of the counts. */
  readonly filteredBy: readonly string[];
}

type Causes = readonly SrmCause[];

/** What the patterns found usually come from, the clearest first. Not empty for a split that is off. */
export function causesOf(split: Split, cuts: readonly Cut[], circumstances: Circumstances): Causes {
  const unexpected = unexpectedVariants(split);
  const local = localParts(cuts).map((part) => causeOfPart(split, part));
  const growing = local.some(({ place }) => place?.dimension === 'day') ? [] : growth(split);
  const isPlaced = unexpected.length + local.length + growing.length > 0;
  const uneven = isPlaced ? [] : unevenCuts(cuts);
  const rest = isPlaced || uneven.length > 0 ? [] : [everywhere(cuts)];
  return [
    ...unexpected,
    ...local,
    ...growing,
    ...uneven,
    ...rest,
    ...conflictCause(circumstances),
    ...filterCause(circumstances),
  ];
}

/** Users in a variant to which their version gave no share. */
function unexpectedVariants(split: Split): Causes {
  const rows = wholeCounts(split)
    .filter(({ version, variantId, users }) => {
      const arm = split.variants.findIndex(({ id }) => id === variantId);
      return users > 0 && sharesOf(split, version)[arm] === 0;
    })
    .sort((a, b) => a.variantId - b.variantId || a.version - b.version);
  return [...groupedBy(rows, ({ variantId }) => variantId)].map(([variantId, found]): SrmCause => {
    const users = found.reduce((sum, row) => sum + row.users, 0);
    const key = split.variants.find(({ id }) => id === variantId)?.key;
    const versions = found.map(({ version }) => version).join(', ');
    return {
      pattern: 'unexpected_variant',
      stages: ['assignment', 'execution'],
      place: null,
      message: `${users} users are in "${key}", which had no share in version ${versions}: look for clients that decide by old shares, and for reports of a variant that was not theirs.`,
    };
  });
}

const isOff = ({ p_value_adjusted }: Part): boolean => p_value_adjusted < LOCAL;

/** Of each cut the part, if there is one, that alone is off, unlike all others together. */
function localParts(cuts: readonly Cut[]): readonly Part[] {
  return cuts
    .flatMap(({ parts }) => {
      const [found, ...others] = parts.filter(isOff);
      if (found === undefined || others.length > 0) return [];
      const { pValueOfRest: rest, pValueOfDifference: difference } = found;
      const isAlone = (rest ?? 0) >= LOCAL && (difference ?? 1) < LOCAL;
      return isAlone ? [found] : [];
    })
    .sort((a, b) => (a.pValueOfDifference ?? 1) - (b.pValueOfDifference ?? 1));
}

/** The versions that shared the users otherwise than the one before. */
const reweightings = (split: Split): Split['versions'] =>
  split.versions.filter((row, index) => {
    const before = split.versions[index - 1];
    return (
      before !== undefined &&
      sharesOf(split, before.version).join() !== sharesOf(split, row.version).join()
    );
  });

const DAY_MS = 86_400_000;

/** The re-weighting that a day or a version comes right after. */
function reweightingBefore(split: Split, { dimension, value }: Part) {
  return reweightings(split).find(({ version, effectiveAt }) => {
    if (dimension === 'version') return `${version}` === value;
    if (dimension !== 'day' || value === null) return false;
    const changedOn = Math.floor(Date.parse(effectiveAt) / DAY_MS);
    const day = Date.parse(value) / DAY_MS;
    return day === changedOn || day === changedOn + 1;
  });
}

function causeOfPart(split: Split, part: Part): SrmCause {
  const { dimension, attribute, value } = part;
  const place = { dimension, attribute, value };
  const changed = reweightingBefore(split, part);
  if (changed !== undefined) {
    const when = dimension === 'day' ? `on ${value}` : `in version ${value}`;
    return {
      pattern: 'after_reweighting',
      stages: ['execution', 'assignment'],
      place,
      message: `The split is off ${when}, right after version ${changed.version} changed the shares: look for clients and caches that still decided by the old ones.`,
    };
  }
  return { ...ofDimension(part), place };
}

function ofDimension({ dimension, attribute, value }: Part): Omit<SrmCause, 'place'> {
  switch (dimension) {
    case 'day':
      return {
        pattern: 'one_day',
        stages: ['logging', 'execution', 'interference'],
        message: `The split is off on ${value} only: look at that day's deployments, outages, and data that was lost or sent again.`,
      };
    case 'version':
      return {
        pattern: 'one_version',
        stages: ['assignment', 'execution'],
        message: `The split is off in version ${value} only: compare what was changed with it, such as coverage, targeting or a variant's configuration.`,
      };
    case 'source':
      return value === 'reported'
        ? {
            pattern: 'one_source',
            stages: ['execution', 'logging'],
            message:
              'The split is off only among exposures that clients report: look for a variant that crashes, redirects or loads too slowly to report, and for clients with another configuration.',
          }
        : {
            pattern: 'one_source',
            stages: ['assignment', 'execution'],
            message:
              'The split is off only among users who were assigned when they were asked for: look for ids that are made anew or not random, and for a variant that asks more often.',
          };
    case 'segment':
      return {
        pattern: 'one_segment',
        stages: ['execution', 'logging'],
        message: `The split is off only where ${attribute} ${value === null ? 'is missing' : `is "${value}"`}: look at what a variant does differently there (crashes, redirects, consent, blockers, bots), and whether the variant changes the attribute.`,
      };
  }
}

function growth(split: Split): Causes {
  const byDay = groupedBy(split.counts, ({ day }) => day);
  const [first = 0, ...rest] = [...byDay.keys()].sort((a, b) => a - b);
  // With days without users in between, so that distances are in days.
  const length = rest.length === 0 ? 1 : ((rest.at(-1) ?? first) - first) / 86_400 + 1;
  const looks = Array.from({ length }, (_, day) =>
    periodsOf(split, byDay.get(first + day * 86_400) ?? []),
  );
  const trend = srmTrend(looks);
  if (trend.status !== 'ok' || trend.pValue >= SURE) return [];
  return [
    {
      pattern: 'growing',
      stages: ['interference', 'execution'],
      place: null,
      message:
        'The split gets worse from day to day: look for users who come back under new ids because of a variant, for a variant that makes them stay away, and for a client version that spreads.',
    },
  ];
}

const DIMENSIONS: Readonly<Record<Cut['dimension'], string>> = {
  day: 'days',
  version: 'versions',
  source: 'sources',
  segment: 'segments',
};

const nameOf = ({ dimension, attribute }: Cut): string =>
  attribute === null ? DIMENSIONS[dimension] : `${DIMENSIONS[dimension]} of ${attribute}`;

/** Cuts whose parts differ, though it takes more than one of them to explain the mismatch. */
function unevenCuts(cuts: readonly Cut[]): Causes {
  const uneven = cuts.filter(({ parts }) =>
    parts.some(({ pValueOfDifference }) => (pValueOfDifference ?? 1) < SURE),
  );
  return uneven.map((cut) => ({
    pattern: 'uneven',
    stages: ['execution', 'logging'],
    place: null,
    message: `The split is off in several ${nameOf(cut)} and not in others: look for what those at the head of the ranking have in common.`,
  }));
}

function everywhere(cuts: readonly Cut[]): SrmCause {
  const seen = cuts.filter(({ parts }) => parts.length > 1).map(nameOf);
  const where = seen.length === 0 ? '' : ` in all ${seen.join(' and ')}`;
  const hasAttribute = cuts.some(({ dimension }) => dimension === 'segment');
  const unsearched = hasAttribute
    ? ''
    : ' No attribute of the users was searched yet: ask /srm with segment_by first.';
  return {
    pattern: 'everywhere',
    stages: ['assignment', 'logging', 'analysis'],
    place: null,
    message: `The split is off alike${where}: look at the assignment itself (ids that are not unique or not random, shares that differ from the configured ones), at a variant whose users are not all recorded, and at users who are left out after their assignment.${unsearched}`,
  };
}

function conflictCause({ conflictShare }: Circumstances): Causes {
  if (conflictShare < CONFLICTS_MIN) return [];
  return [
    {
      pattern: 'conflicts',
      stages: ['execution', 'assignment'],
      place: null,
      message: `${(100 * conflictShare).toFixed(1)} % of the users were reported with another variant than the stored one: look for a second place that decides, with another seed, other shares or other ids.`,
    },
  ];
}

function filterCause({ filteredBy }: Circumstances): Causes {
  if (filteredBy.length === 0) return [];
  return [
    {
      pattern: 'filtered',
      stages: ['analysis'],
      place: null,
      message: `Only users by ${filteredBy.join(', ')} are counted: look at the split without the filter; if that is as planned, the variant changes who has the attribute.`,
    },
  ];
}
