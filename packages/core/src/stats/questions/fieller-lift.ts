import { fiellerLift } from '../means/lift.ts';
import { intervalOf, ofArms, survivingNumberOf } from './answers.ts';

// One test for the difference and the lift; it needs no baseline.
export { pValue } from './welch.ts';

const comparison = ofArms(fiellerLift);

/**
 * The relative lift (T − C)/|C| as a fraction, of single units and constants too. Refuses
 * INVALID_INPUT, NO_UNITS and ZERO_BASELINE.
 */
export const estimate = survivingNumberOf(comparison, ({ lift }) => lift);

/**
 * Fieller's interval of the lift; −Infinity to Infinity where the control mean cannot be told from
 * zero, and else without 0 exactly when the two-sided p < alpha. Refuses INSUFFICIENT_UNITS and
 * ZERO_VARIANCE as well.
 */
export const interval = intervalOf(comparison, ({ lower, upper }) => [lower, upper]);
