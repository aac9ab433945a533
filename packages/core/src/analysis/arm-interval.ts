import { meanInterval, normalIsf, wilsonInterval } from '../stats/index.ts';
import { isSample } from '../stats/means/welch.ts';
import { isLevel } from '../stats/outcome.ts';
import { wilsonLimits } from '../stats/proportions/wilson.ts';
import type { ArmSample, ArmSampleOutcome } from './arm-sample.ts';
import type { Boundary } from './boundary.ts';
import { finite } from './measured.ts';
import { isReleased } from './released.ts';
import type { Setting } from './setting.ts';
import type { ArmData, ArmEstimate } from './types.ts';

// The interval of one arm by itself, looked at as often as the comparisons of its method are.

export type ArmInterval = Pick<ArmEstimate, 'lower' | 'upper'>;

const NONE: ArmInterval = { lower: null, upper: null };

const shown = (lower: number, upper: number): ArmInterval => ({
  lower: finite(lower),
  upper: finite(upper),
});

/** Wilson's of a rate, Student's of a mean and of a ratio, the normal one of a quantile. */
function onceInterval(data: ArmData, { sample }: ArmSample, alpha: number): ArmInterval {
  if (data.kind === 'quantile') {
    const half = normalIsf(alpha / 2) * Math.sqrt(sample.variance / sample.n);
    return isLevel(alpha) && half > 0 ? shown(sample.mean - half, sample.mean + half) : NONE;
  }
  const outcome = data.kind === 'rate' ? wilsonInterval(data, alpha) : meanInterval(sample, alpha);
  return outcome.status === 'ok' ? shown(outcome.lower, outcome.upper) : NONE;
}

/** Within the arms; 0 where no arm has a variance. */
function pooledVariance(samples: readonly ArmSampleOutcome[]): number {
  let [squares, degrees] = [0, 0];
  for (const outcome of samples) {
    if (outcome.status !== 'ok') continue;
    const { n, variance } = outcome.sample;
    if (!(n >= 2 && Number.isFinite(variance))) continue;
    squares += (n - 1) * variance;
    degrees += n - 1;
  }
  return degrees === 0 ? 0 : squares / degrees;
}

/**
 * By the boundary of the comparisons, which holds at all looks together. Few values of a skewed kind
 * know too little of their own variance, and with a single arm nothing cancels their skewness: as in a
 * comparison (§4.2) the variance is at least that of all arms. A rate's is that of the rate asked for,
 * which is never zero.
 */
function sequentialInterval(
  data: ArmData,
  { sample, flags }: ArmSample,
  pooled: number,
  boundary: Boundary,
): ArmInterval {
  if (!isReleased(data, sample, flags)) return NONE;
  const { n, mean, variance } = sample;
  const critical = boundary.critical(n);
  if (data.kind === 'rate') {
    const { lower, upper } = wilsonLimits(data, critical);
    return shown(lower, upper);
  }
  const half = critical * Math.sqrt(Math.max(variance, pooled) / n);
  return half > 0 ? shown(mean - half, mean + half) : NONE;
}

/**
 * The interval of each arm's value at the level of the analysis, each arm's by itself: by a sequential
 * method of all looks together, by the others of one. None of a refused sample, and sequentially none
 * before its release.
 *
 * @param data of all arms of a metric
 * @param samples of the data, in the same order
 */
export function armIntervals(
  data: readonly ArmData[],
  samples: readonly ArmSampleOutcome[],
  { options, boundary }: Pick<Setting, 'options' | 'boundary'>,
): readonly ArmInterval[] {
  const isSequential = options.method === 'sequential';
  const pooled = isSequential ? pooledVariance(samples) : 0;
  return data.map((arm, index) => {
    const outcome = samples[index];
    if (outcome?.status !== 'ok' || !isSample(outcome.sample)) return NONE;
    if (!isSequential) return onceInterval(arm, outcome, options.alpha);
    return boundary === null ? NONE : sequentialInterval(arm, outcome, pooled, boundary);
  });
}
