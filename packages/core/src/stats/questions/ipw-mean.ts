import { ipwMean } from '../bandits/ipw-mean.ts';
import { numberOf, survivingNumberOf } from './answers.ts';

/** The mean of one arm of a bandit, of one unit or a constant too. Refuses INVALID_INPUT and NO_UNITS. */
export const estimate = survivingNumberOf(ipwMean, (known) => known.mean);

/** Of the mean, > 0. Refuses INSUFFICIENT_UNITS and ZERO_VARIANCE as well. */
export const standardError = numberOf(ipwMean, ({ se }) => se);
