import { binomialExact } from '../srm/binomial.ts';
import { numberOf } from './answers.ts';

/** Units of one arm and of both, and the share that was planned, 0 < share < 1. */
interface Share {
  readonly count: number;
  readonly total: number;
  readonly share: number;
}

/** Exact, two-sided, 0…1: that the units were split as planned. Refuses INVALID_INPUT and NO_UNITS. */
export const pValue = numberOf(
  ({ count, total, share }: Share) => binomialExact(count, total, share),
  (test) => test.pValue,
);
