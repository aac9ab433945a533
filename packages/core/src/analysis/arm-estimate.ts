import { meanInterval, normalIsf, type Sample, wilsonInterval } from '../stats/index.ts';
import { isCount, isLevel } from '../stats/outcome.ts';
import type { ArmSampleOutcome } from './arm-sample.ts';
import { finite } from './measured.ts';
import type { ArmData, ArmEstimate, RateData } from './types.ts';

// One arm by itself, with the interval of a fixed horizon whatever the method of the comparison.

type Interval = Pick<ArmEstimate, 'standardError' | 'lower' | 'upper'>;

const NONE: Interval = { standardError: null, lower: null, upper: null };

function rateInterval({ x, n }: RateData, alpha: number): Interval {
  const outcome = wilsonInterval({ x, n }, alpha);
  if (outcome.status !== 'ok') return NONE;
  const { estimate, lower, upper } = outcome;
  // Of no success, or nothing but successes, there is an interval, but no error to be computed.
  const se = Math.sqrt((estimate * (1 - estimate)) / n);
  return { standardError: se > 0 ? finite(se) : null, lower: finite(lower), upper: finite(upper) };
}

function sampleInterval(sample: Sample, alpha: number): Interval {
  const outcome = meanInterval(sample, alpha);
  if (outcome.status !== 'ok') return NONE;
  const { se, lower, upper } = outcome;
  return { standardError: finite(se), lower: finite(lower), upper: finite(upper) };
}

function quantileInterval({ n, mean, variance }: Sample, alpha: number): Interval {
  const se = Math.sqrt(variance / n);
  if (!isLevel(alpha) || !(se > 0)) return NONE;
  const half = normalIsf(alpha / 2) * se;
  return { standardError: finite(se), lower: finite(mean - half), upper: finite(mean + half) };
}

const count = (value: number): number => (isCount(value) ? value : 0);

/**
 * An arm's value with its interval: Wilson's of a rate, Student's of a mean and of a ratio, the normal
 * one of a quantile.
 *
 * @param outcome the arm's sample
 * @param alpha two-sided
 */
export function armEstimate(data: ArmData, outcome: ArmSampleOutcome, alpha: number): ArmEstimate {
  const isOk = outcome.status === 'ok';
  switch (data.kind) {
    case 'rate':
      return {
        value: isOk ? finite(outcome.sample.mean) : null,
        sampleSize: count(data.n),
        numerator: finite(data.x),
        denominator: finite(data.n),
        ...rateInterval(data, alpha),
      };
    case 'mean': {
      const { n } = data.moments;
      return {
        value: isOk ? finite(data.total / n) : null,
        sampleSize: count(n),
        numerator: finite(data.total),
        denominator: finite(n),
        ...(isOk ? sampleInterval(outcome.sample, alpha) : NONE),
      };
    }
    case 'ratio': {
      const { numerator, denominator, moments } = data;
      return {
        value: isOk ? finite(outcome.sample.mean) : null,
        sampleSize: isCount(denominator) ? denominator : count(moments.n),
        numerator: finite(numerator),
        denominator: finite(denominator),
        ...(isOk ? sampleInterval(outcome.sample, alpha) : NONE),
      };
    }
    case 'quantile':
      return {
        value: finite(data.value),
        sampleSize: count(data.events),
        numerator: null,
        denominator: null,
        ...(isOk ? quantileInterval(outcome.sample, alpha) : NONE),
      };
  }
}
