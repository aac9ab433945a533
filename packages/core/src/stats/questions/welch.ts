import { welchDifference } from '../means/welch.ts';
import { differenceOf, ofArms } from './answers.ts';

// Power is that of two equal arms with one variance.
export { meanPower as power, meanSampleSize as sampleSize } from '../power/mean.ts';

/**
 * Of two means. All refuse INVALID_INPUT and NO_UNITS; all but the estimate INSUFFICIENT_UNITS and
 * ZERO_VARIANCE.
 */
export const { estimate, standardError, pValue, interval } = differenceOf(ofArms(welchDifference));
