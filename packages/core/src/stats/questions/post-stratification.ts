import { postStratifiedDifference } from '../adjustment/post-stratification.ts';
import { differenceOf } from './answers.ts';

/**
 * Of two means weighted over strata. All refuse INVALID_INPUT and NO_UNITS; all but the estimate, which is unweighted
 * then, INSUFFICIENT_UNITS below two units in an arm, and ZERO_VARIANCE.
 */
export const { estimate, standardError, pValue, interval } = differenceOf(postStratifiedDifference);
