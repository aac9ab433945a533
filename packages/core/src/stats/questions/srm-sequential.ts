import { sequentialSrm } from '../srm/sequential.ts';
import { numberOf } from './answers.ts';

/** All looks so far, and the shares that were planned, of any sum. */
interface Looks {
  readonly cumulativeCounts: readonly (readonly number[])[];
  readonly weights: readonly number[];
  /** How much the split varies under the alternative; 10,000 when absent. */
  readonly concentration?: number;
}

/**
 * 0…1, valid at any look: that the units were split as planned. No look is no evidence: 1. Refuses
 * INVALID_INPUT and UNEXPECTED_ARM.
 */
export const pValue = numberOf(
  ({ cumulativeCounts, weights, concentration }: Looks) =>
    sequentialSrm(cumulativeCounts, weights, concentration),
  (looks) => looks.pValue.at(-1) ?? 1,
);
