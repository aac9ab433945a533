import { scoreDifference } from '../proportions/score-difference.ts';
import { intervalOf, numberOf, ofArms } from './answers.ts';

export {
  proportionPower as power,
  proportionSampleSize as sampleSize,
} from '../power/proportion.ts';

const test = ofArms(scoreDifference);

/** The difference of rates T − C, −1…1. Refuses INVALID_INPUT and NO_UNITS, as all of the test. */
export const estimate = numberOf(test, ({ diff }) => diff);

/** Two-sided, 0…1: that the rates are equal. 1 where all units or none succeeded. */
export const pValue = numberOf(test, (score) => score.pValue);

/** The score interval of T − C, within −1…1; leaves 0 out exactly when p < alpha. */
export const interval = intervalOf(test, ({ lower, upper }) => [lower, upper]);
