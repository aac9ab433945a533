import { chiSquareSrm } from '../srm/chi-square.ts';
import { numberOf } from './answers.ts';

/** Units per arm, and the shares that were planned, of any sum. */
interface Split {
  readonly counts: readonly number[];
  readonly weights: readonly number[];
}

/** 0…1: that the units were split as planned. Refuses INVALID_INPUT, NO_UNITS and UNEXPECTED_ARM. */
export const pValue = numberOf(
  ({ counts, weights }: Split) => chiSquareSrm(counts, weights),
  (test) => test.pValue,
);
