import { poissonRateRatio } from '../counts/poisson-rate.ts';
import { intervalOf, numberOf, ofArms, tailsOf } from './answers.ts';

const test = ofArms(poissonRateRatio);

/** The ratio of event rates T/C, ≥ 0. Refuses INVALID_INPUT and, of a control without events, ZERO_BASELINE. */
export const estimate = numberOf(test, ({ rateRatio }) => rateRatio, 'ZERO_BASELINE');

/** Exact, 0…1: that the rates are equal. Refuses INVALID_INPUT, as the interval does. */
export const pValue = tailsOf(test);

/**
 * The exact interval of T/C, from 0 to Infinity, which it reaches without an event in the control;
 * leaves 1 out exactly when the two-sided p < alpha.
 */
export const interval = intervalOf(test, ({ ratioLower, ratioUpper }) => [ratioLower, ratioUpper]);
