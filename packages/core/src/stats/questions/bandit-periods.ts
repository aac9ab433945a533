import { periodStratifiedDifference } from '../bandits/period-stratified.ts';
import { differenceOf } from './answers.ts';

/**
 * Of two arms of a bandit, within its periods, by the normal distribution. All refuse INVALID_INPUT,
 * NO_UNITS and INSUFFICIENT_UNITS; all but the estimate ZERO_VARIANCE.
 */
export const { estimate, standardError, pValue, interval } = differenceOf(
  periodStratifiedDifference,
);
