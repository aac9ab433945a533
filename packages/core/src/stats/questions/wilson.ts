import { wilsonInterval } from '../proportions/wilson.ts';
import { intervalOf, numberOf } from './answers.ts';

/** The rate of one arm, 0…1. Refuses INVALID_INPUT and NO_UNITS, as the interval does. */
export const estimate = numberOf(wilsonInterval, (rate) => rate.estimate);

/** Wilson's score interval of the rate, within 0…1. */
export const interval = intervalOf(wilsonInterval, ({ lower, upper }) => [lower, upper]);
