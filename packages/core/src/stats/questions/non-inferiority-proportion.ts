import { nonInferiorityProportion } from '../non-inferiority.ts';
import { numberOf, ofArmsWithMargin } from './answers.ts';

// Of the difference itself, whatever the margin.
export { estimate } from './miettinen-nurminen.ts';

/**
 * One-sided, 0…1: that the treatment's rate is worse by the margin, 0 ≤ margin < 1, or by more.
 * Refuses INVALID_INPUT and NO_UNITS.
 */
export const pValue = numberOf(
  ofArmsWithMargin(nonInferiorityProportion),
  (margin) => margin.pValue,
);
