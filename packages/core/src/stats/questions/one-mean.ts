import { meanInterval } from '../means/welch.ts';
import { intervalOf, numberOf, survivingNumberOf } from './answers.ts';

/** The mean of one arm, of one unit or a constant too. Refuses INVALID_INPUT and NO_UNITS. */
export const estimate = survivingNumberOf(meanInterval, (known) => known.estimate);

/** Of the mean, > 0. Refuses INSUFFICIENT_UNITS and ZERO_VARIANCE as well, as the interval does. */
export const standardError = numberOf(meanInterval, ({ se }) => se);

/** Student's interval of the mean. */
export const interval = intervalOf(meanInterval, ({ lower, upper }) => [lower, upper]);
