import type { Sample } from '../means/welch.ts';
import { nonInferiorityAbsolute } from '../non-inferiority.ts';
import { type ArmsWithMargin, intervalOf, numberOf, ofArmsWithMargin } from './answers.ts';

export { nonInferioritySampleSize as sampleSize } from '../power/plans.ts';
// Of the difference itself, whatever the margin.
export { estimate, standardError } from './welch.ts';

const test = ofArmsWithMargin(nonInferiorityAbsolute);

/**
 * One-sided, 0…1: that the treatment is worse by the margin, in the metric's unit, or by more.
 * Refuses INVALID_INPUT, NO_UNITS, INSUFFICIENT_UNITS and ZERO_VARIANCE, as the interval does.
 */
export const pValue = numberOf(test, (margin) => margin.pValue);

/** All T − C that the one-sided test leaves; it leaves the margin out exactly when p < alpha. */
export const interval = (data: ArmsWithMargin<Sample>, alpha: number) =>
  intervalOf(test, ({ oneSidedBound }) =>
    data.goodDirection === 'increase'
      ? [oneSidedBound, Number.POSITIVE_INFINITY]
      : [Number.NEGATIVE_INFINITY, oneSidedBound],
  )(data, alpha);
