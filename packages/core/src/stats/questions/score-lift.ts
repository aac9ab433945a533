import { scoreLift } from '../proportions/score-lift.ts';
import { intervalOf, numberOf, ofArms } from './answers.ts';

// One statistic tests the difference and the lift.
export { pValue } from './miettinen-nurminen.ts';

const comparison = ofArms(scoreLift);

/**
 * The relative lift of the rate, (T − C)/C as a fraction ≥ −1. Refuses INVALID_INPUT, NO_UNITS and,
 * without a success in the control, ZERO_BASELINE.
 */
export const estimate = numberOf(comparison, ({ lift }) => lift, 'ZERO_BASELINE');

/**
 * The score interval of the lift, from −1 to Infinity, which it reaches without a success in the
 * control; leaves 0 out exactly when p < alpha. Refuses INVALID_INPUT and NO_UNITS.
 */
export const interval = intervalOf(comparison, ({ liftLower, liftUpper }) => [
  liftLower,
  liftUpper,
]);
