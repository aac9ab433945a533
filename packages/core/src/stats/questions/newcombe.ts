import { newcombeDifference } from '../proportions/newcombe.ts';
import { intervalOf, numberOf, ofArms } from './answers.ts';

const comparison = ofArms(newcombeDifference);

/** The difference of rates T − C, −1…1. Refuses INVALID_INPUT and NO_UNITS, as the interval does. */
export const estimate = numberOf(comparison, ({ diff }) => diff);

/** Newcombe's interval of T − C, within −1…1. */
export const interval = intervalOf(comparison, ({ lower, upper }) => [lower, upper]);
