import { quantileDifference } from '../quantiles/clustered.ts';
import { differenceOf, ofArms } from './answers.ts';

/**
 * Of two quantiles, by the normal distribution. All refuse INVALID_INPUT; all but the estimate
 * ZERO_VARIANCE.
 */
export const { estimate, standardError, pValue, interval } = differenceOf(
  ofArms(quantileDifference),
);
