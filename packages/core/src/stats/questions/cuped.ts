import { type CupedArm, cupedDifference } from '../adjustment/cuped.ts';
import { type ArmsAmongOthers, differenceOf } from './answers.ts';

// With the correlation of metric and covariate in the plan.
export { meanSampleSize as sampleSize } from '../power/mean.ts';

/**
 * Of two means adjusted by one covariate. All refuse INVALID_INPUT and NO_UNITS; all but
 * the estimate, which is unadjusted then, INSUFFICIENT_UNITS; all but the estimate ZERO_VARIANCE.
 */
export const { estimate, standardError, pValue, interval } = differenceOf(
  ({ treatment, control, others }: ArmsAmongOthers<CupedArm>, alpha) =>
    cupedDifference(treatment, control, alpha, others),
);
