import { tIsf, tSf } from '../distributions/student.ts';
import { isCount, isLevel, type Outcome, refuse } from '../outcome.ts';

/** Count, mean and sample variance (ddof 1) of one value per unit. */
export interface Sample {
  readonly n: number;
  readonly mean: number;
  /** ≥ 0; not looked at below two units. */
  readonly variance: number;
}

/** Whether a sample's numbers are possible. */
export const isSample = ({ n, mean, variance }: Sample): boolean =>
  isCount(n) &&
  (n === 0 || Number.isFinite(mean)) &&
  (n < 2 || (Number.isFinite(variance) && variance >= 0));

/** Test and interval of a difference of means. */
export interface MeanDifference {
  /** Treatment minus control. */
  readonly diff: number;
  readonly se: number;
  readonly df: number;
  readonly t: number;
  /** Two-sided. */
  readonly pValue: number;
  /** One-sided: treatment above control. */
  readonly pValueGreater: number;
  /** One-sided: treatment below control. */
  readonly pValueLess: number;
  readonly lower: number;
  readonly upper: number;
}

/** What is left when there is no variance to test with. */
export interface DifferenceOnly {
  readonly diff?: number;
}

/** Test and interval of an estimate by Student's t. @param alpha two-sided */
export function tDifference(diff: number, se: number, df: number, alpha: number): MeanDifference {
  const t = diff / se;
  const tail = tSf(Math.abs(t), df);
  const half = tIsf(alpha / 2, df) * se;
  return {
    diff,
    se,
    df,
    t,
    pValue: Math.min(1, 2 * tail),
    pValueGreater: t >= 0 ? tail : 1 - tail,
    pValueLess: t >= 0 ? 1 - tail : tail,
    lower: diff - half,
    upper: diff + half,
  };
}

/**
 * Welch–Satterthwaite degrees of freedom of the difference of two independent estimates.
 *
 * @param vT variance of the treatment's estimate, on dfT degrees of freedom
 * @param vC variance of the control's, on dfC; not both are 0
 */
export function welchDf(vT: number, dfT: number, vC: number, dfC: number): number {
  // Shares of the whole, since squares of tiny variances would underflow.
  const share = vT / (vT + vC);
  const rest = vC / (vT + vC);
  return 1 / ((share * share) / dfT + (rest * rest) / dfC);
}

/**
 * Welch's test and interval of the difference of two means (Welch 1947). One constant arm is no
 * obstacle; two are: ZERO_VARIANCE. Also refuses INVALID_INPUT, NO_UNITS and, below two units in an
 * arm, INSUFFICIENT_UNITS; the difference is still given where there is one.
 *
 * @param alpha two-sided, 0 < alpha < 1
 */
export function welchDifference(
  treatment: Sample,
  control: Sample,
  alpha: number,
): Outcome<MeanDifference, DifferenceOnly> {
  if (!isSample(treatment) || !isSample(control) || !isLevel(alpha)) return refuse('INVALID_INPUT');
  if (treatment.n === 0 || control.n === 0) return refuse('NO_UNITS');
  const diff = treatment.mean - control.mean;
  if (treatment.n < 2 || control.n < 2) return { status: 'INSUFFICIENT_UNITS', diff };
  const vT = treatment.variance / treatment.n;
  const vC = control.variance / control.n;
  const se = Math.sqrt(vT + vC);
  if (se === 0) return { status: 'ZERO_VARIANCE', diff };
  const df = welchDf(vT, treatment.n - 1, vC, control.n - 1);
  return { status: 'ok', ...tDifference(diff, se, df, alpha) };
}

/** The mean of one arm with its interval. */
export interface MeanInterval {
  readonly estimate: number;
  readonly se: number;
  readonly lower: number;
  readonly upper: number;
}

/**
 * Mean of one arm with its t interval. Refuses INVALID_INPUT, NO_UNITS, INSUFFICIENT_UNITS and, for
 * a constant arm, ZERO_VARIANCE, the last two with the mean.
 *
 * @param alpha two-sided, 0 < alpha < 1
 */
export function meanInterval(
  sample: Sample,
  alpha: number,
): Outcome<MeanInterval, { readonly estimate?: number }> {
  if (!isSample(sample) || !isLevel(alpha)) return refuse('INVALID_INPUT');
  const { n, mean, variance } = sample;
  if (n === 0) return refuse('NO_UNITS');
  if (n < 2) return { status: 'INSUFFICIENT_UNITS', estimate: mean };
  if (variance === 0) return { status: 'ZERO_VARIANCE', estimate: mean };
  const se = Math.sqrt(variance / n);
  const half = tIsf(alpha / 2, n - 1) * se;
  return { status: 'ok', estimate: mean, se, lower: mean - half, upper: mean + half };
}

/**
 * The units per arm from which the central limit theorem serves a skewed metric: 355 × skewness²
 * (Kohavi, Deng, Longbotham & Xu 2014). Below, warn.
 */
export const unitsForSkewness = (skewness: number): number => Math.ceil(355 * skewness * skewness);
