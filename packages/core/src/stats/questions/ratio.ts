import { type RatioSums, ratioSample } from '../means/ratio.ts';
import { welchDifference } from '../means/welch.ts';
import { type Arms, differenceOf } from './answers.ts';

export { ratioSampleSize as sampleSize } from '../power/plans.ts';

function test(arms: Arms<RatioSums>, alpha: number): ReturnType<typeof welchDifference> {
  const treatment = ratioSample(arms.treatment);
  if (treatment.status !== 'ok') return treatment;
  const control = ratioSample(arms.control);
  return control.status === 'ok'
    ? welchDifference(treatment.sample, control.sample, alpha)
    : control;
}

/**
 * Of two ratios of sums, by the delta method. All refuse INVALID_INPUT, NO_UNITS and
 * ZERO_DENOMINATOR; all but the estimate INSUFFICIENT_UNITS and ZERO_VARIANCE.
 */
export const { estimate, standardError, pValue, interval } = differenceOf(test);
