import {
  confidenceSequence,
  type SequenceOptions,
  type SequentialEstimate,
} from '../sequential/confidence-sequence.ts';
import { type Alternative, intervalOf, numberOf } from './answers.ts';

export { sequenceSampleSize as sampleSize } from '../power/plans.ts';

/** One look, and the number of units at which the sequence is narrowest. */
type Look = SequentialEstimate & Pick<SequenceOptions, 'tuningN'>;

/**
 * 0…1, valid at any look: that there is no effect. Refuses INVALID_INPUT, NO_UNITS and ZERO_VARIANCE,
 * as the interval does.
 *
 * @param look.tuningAlpha the level that the sequence is tuned for, on which the p-value depends
 */
export const pValue = (
  look: Look & { readonly tuningAlpha: number },
  alternative: Alternative = 'twoSided',
) =>
  numberOf(
    (data: Look) =>
      confidenceSequence(data, {
        tuningN: data.tuningN,
        alpha: look.tuningAlpha,
        ...(alternative === 'twoSided' ? {} : { sided: 1, alternative }),
      }),
    (sequence) => sequence.pValue,
  )(look);

/**
 * The interval of the effect, in its unit, that holds at all looks together; leaves 0 out exactly
 * when the two-sided p < alpha in a sequence tuned for alpha.
 */
export const interval = intervalOf(
  (look: Look, alpha) => confidenceSequence(look, { tuningN: look.tuningN, alpha }),
  ({ lower, upper }) => [lower, upper],
);
