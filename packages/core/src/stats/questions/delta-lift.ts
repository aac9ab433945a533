import { deltaLift } from '../means/lift.ts';
import { intervalOf, numberOf, ofArms } from './answers.ts';

export { estimate, pValue } from './fieller-lift.ts';

const comparison = ofArms(deltaLift);

/**
 * Of the lift, as a fraction > 0. Refuses INVALID_INPUT, NO_UNITS, INSUFFICIENT_UNITS, ZERO_VARIANCE
 * and ZERO_BASELINE, as the interval does.
 */
export const standardError = numberOf(comparison, ({ se }) => se);

/** The delta method's interval of the lift, which may disagree with the p-value. */
export const interval = intervalOf(comparison, ({ lower, upper }) => [lower, upper]);
