import { zDifference } from '../proportions/z-difference.ts';
import { intervalOf, ofArms, survivingNumberOf, tailsOf } from './answers.ts';

export {
  proportionPower as power,
  proportionSampleSize as sampleSize,
} from '../power/proportion.ts';

const test = ofArms(zDifference);

/** The difference of rates T − C, −1…1, without variance too. Refuses INVALID_INPUT and NO_UNITS. */
export const estimate = survivingNumberOf(test, ({ diff }) => diff);

/** 0…1: that the rates are equal. Refuses ZERO_VARIANCE where all units or none succeeded. */
export const pValue = tailsOf(test);

/** Wald's interval of T − C. It pools no rates, so it need not agree with the p-value. */
export const interval = intervalOf(test, ({ waldLower, waldUpper }) => [waldLower, waldUpper]);
