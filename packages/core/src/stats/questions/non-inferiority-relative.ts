import { nonInferiorityRelative } from '../non-inferiority.ts';
import { numberOf, ofArmsWithMargin } from './answers.ts';

// Of the lift itself, whatever the margin.
export { estimate } from './fieller-lift.ts';

/**
 * One-sided, 0…1: that the treatment is worse by the margin, a fraction of the control mean, or by
 * more. Refuses INVALID_INPUT, NO_UNITS, INSUFFICIENT_UNITS, ZERO_VARIANCE and ZERO_BASELINE.
 */
export const pValue = numberOf(ofArmsWithMargin(nonInferiorityRelative), (margin) => margin.pValue);
