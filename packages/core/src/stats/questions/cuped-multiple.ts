import type { CovariateArm } from '../adjustment/arms.ts';
import { cupedMultiple } from '../adjustment/cuped.ts';
import { type ArmsAmongOthers, differenceOf } from './answers.ts';

/**
 * Of two means adjusted by several covariates. All refuse INVALID_INPUT and NO_UNITS; all but
 * the estimate, which is unadjusted then, INSUFFICIENT_UNITS; all but the estimate ZERO_VARIANCE.
 */
export const { estimate, standardError, pValue, interval } = differenceOf(
  ({ treatment, control, others }: ArmsAmongOthers<CovariateArm>, alpha) =>
    cupedMultiple(treatment, control, alpha, others),
);
