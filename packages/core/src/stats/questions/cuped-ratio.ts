import { type CupedRatioArm, cupedRatioDifference } from '../adjustment/cuped-ratio.ts';
import { type ArmsAmongOthers, differenceOf } from './answers.ts';

/**
 * Of two ratios of sums adjusted by the same ratio before exposure. All refuse INVALID_INPUT, NO_UNITS and ZERO_DENOMINATOR; all but
 * the estimate, which is unadjusted then, INSUFFICIENT_UNITS; all but the estimate ZERO_VARIANCE.
 */
export const { estimate, standardError, pValue, interval } = differenceOf(
  ({ treatment, control, others }: ArmsAmongOthers<CupedRatioArm>, alpha) =>
    cupedRatioDifference(treatment, control, alpha, others),
);
