import { interactedDifference } from '../adjustment/interacted.ts';
import { differenceOf, ofArms } from './answers.ts';

/**
 * Of two means, each adjusted with the arm's own slopes. All refuse INVALID_INPUT and NO_UNITS; all but
 * the estimate, which is unadjusted then, INSUFFICIENT_UNITS; all but the estimate ZERO_VARIANCE.
 */
export const { estimate, standardError, pValue, interval } = differenceOf(
  ofArms(interactedDifference),
);
