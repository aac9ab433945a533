import type { SrmRootCause } from '@assay/contract';
import { type Circumstances, causesOf } from './causes.ts';
import { cutsOf } from './parts.ts';
import type { Split } from './split.ts';
import type { SplitSegments } from './srm.ts';

const CONTRIBUTIONS_MAX = 10;

/**
 * Where a mismatch of the split sits, and what such a pattern usually comes from.
 *
 * @param isOff false: parts are ranked, and no cause is looked for
 */
export function rootCauseOf(
  split: Split,
  segments: readonly SplitSegments[],
  circumstances: Circumstances,
  isOff: boolean,
): SrmRootCause {
  const cuts = cutsOf(split, segments);
  const contributions = cuts
    // A single part is everybody, and says nothing of where.
    .filter(({ parts }) => parts.some((part) => part.pValueOfRest !== null))
    .flatMap(({ parts }) => parts)
    .sort((a, b) => b.standardised - a.standardised)
    .slice(0, CONTRIBUTIONS_MAX)
    .map(({ pValueOfRest: _, pValueOfDifference: __, ...contribution }) => contribution);
  return { contributions, causes: isOff ? [...causesOf(split, cuts, circumstances)] : [] };
}
