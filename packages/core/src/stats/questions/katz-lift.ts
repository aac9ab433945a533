import { logRateLift } from '../proportions/katz-lift.ts';
import { intervalOf, numberOf, ofArms } from './answers.ts';

const comparison = ofArms(logRateLift);

/**
 * The relative lift of the rate, (T − C)/C as a fraction ≥ −1. Refuses INVALID_INPUT, NO_UNITS and,
 * without a success in the control, ZERO_BASELINE, as all of the method.
 */
export const estimate = numberOf(comparison, ({ lift }) => lift);

/** Of the lift, as a fraction ≥ 0, by the delta method. */
export const standardError = numberOf(comparison, ({ seDelta }) => seDelta);

/** Katz's interval of the lift, above −1. Refuses INVALID_INPUT without a success in the treatment. */
export const interval = intervalOf(comparison, ({ liftLower, liftUpper }) => [
  liftLower,
  liftUpper,
]);
