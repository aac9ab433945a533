import { postStratifiedDifference } from '../adjustment/post-stratification.ts';
import { differenceOf } from './answers.ts';

/**
 * Of two means weighted over strata. All refuse INVALID_INPUT, NO_UNITS and, below two units in an
 * arm, INSUFFICIENT_UNITS; all but the estimate ZERO_VARIANCE.
 */
export const { estimate, standardError, pValue, interval } = differenceOf(postStratifiedDifference);
