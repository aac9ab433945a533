import { isSample } from '../stats/means/welch.ts';
import { isCount } from '../stats/outcome.ts';
import type { ArmInterval } from './arm-interval.ts';
import type { ArmSampleOutcome } from './arm-sample.ts';
import { finite } from './measured.ts';
import type { ArmData, ArmEstimate } from './types.ts';

const count = (value: number): number => (isCount(value) ? value : 0);

/** Null where the arm's values do not vary: then there is no error to be computed from them. */
function standardErrorOf({ kind }: ArmData, outcome: ArmSampleOutcome): number | null {
  if (outcome.status !== 'ok' || !isSample(outcome.sample)) return null;
  const { n, mean, variance } = outcome.sample;
  const se = Math.sqrt((kind === 'rate' ? mean * (1 - mean) : variance) / n);
  return se > 0 ? finite(se) : null;
}

type Counts = Pick<ArmEstimate, 'value' | 'sampleSize' | 'numerator' | 'denominator'>;

function countsOf(data: ArmData, outcome: ArmSampleOutcome): Counts {
  const mean = outcome.status === 'ok' ? outcome.sample.mean : null;
  switch (data.kind) {
    case 'rate': {
      const { n, x } = data;
      return { value: mean, sampleSize: count(n), numerator: x, denominator: n };
    }
    case 'mean': {
      const { total, moments } = data;
      const { n } = moments;
      // Of a sum that is nothing but rounding, the mean is 0.
      const value = mean === null || mean === 0 ? mean : total / n;
      return { value, sampleSize: count(n), numerator: total, denominator: n };
    }
    case 'ratio': {
      const { numerator, denominator, moments } = data;
      const sampleSize = isCount(denominator) ? denominator : count(moments.n);
      return { value: mean, sampleSize, numerator, denominator };
    }
    case 'quantile':
      return {
        value: data.value,
        sampleSize: count(data.events),
        numerator: null,
        denominator: null,
      };
  }
}

/**
 * An arm's value by itself, with its standard error.
 *
 * @param outcome the arm's sample
 * @param interval of the value
 */
export function armEstimate(
  data: ArmData,
  outcome: ArmSampleOutcome,
  { lower, upper }: ArmInterval,
): ArmEstimate {
  const { value, sampleSize, numerator, denominator } = countsOf(data, outcome);
  return {
    value: finite(value),
    sampleSize,
    numerator: finite(numerator),
    denominator: finite(denominator),
    standardError: standardErrorOf(data, outcome),
    lower,
    upper,
  };
}
