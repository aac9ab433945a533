import { tIsf, tSf } from '../distributions/student.ts';
import { type Flag, isLevel, type Outcome, refuse } from '../outcome.ts';

/** Count, mean and sample variance (ddof 1) of one value per unit. */
export interface Sample {
  readonly n: number;
  readonly mean: number;
  readonly variance: number;
}

const isSample = ({ n, mean, variance }: Sample): boolean =>
  Number.isSafeInteger(n) &&
  n >= 0 &&
  (n === 0 || Number.isFinite(mean)) &&
  (n < 2 || (Number.isFinite(variance) && variance >= 0));

export interface MeanDifference {
  /** Treatment minus control. */
  readonly diff: number;
  readonly se: number;
  readonly df: number;
  readonly t: number;
  /** Two-sided. */
  readonly pValue: number;
  readonly lower: number;
  readonly upper: number;
}

/** What is left when there is no variance to test with. */
interface Partial {
  readonly diff?: number;
}

/**
 * Welch's test and interval of the difference of two means (Welch 1947). One constant arm is no
 * obstacle; two are.
 *
 * @param alpha two-sided, 0 < alpha < 1
 */
export function welchDifference(
  treatment: Sample,
  control: Sample,
  alpha: number,
): Outcome<MeanDifference, Partial> {
  if (!isSample(treatment) || !isSample(control) || !isLevel(alpha)) return refuse('INVALID_INPUT');
  if (treatment.n === 0 || control.n === 0) return refuse('NO_UNITS');
  const diff = treatment.mean - control.mean;
  if (treatment.n < 2 || control.n < 2) return { status: 'INSUFFICIENT_UNITS', diff };
  const vT = treatment.variance / treatment.n;
  const vC = control.variance / control.n;
  const se = Math.sqrt(vT + vC);
  if (se === 0) return { status: 'ZERO_VARIANCE', diff };
  const df = welchDf(vT, treatment.n, vC, control.n);
  const t = diff / se;
  const half = tIsf(alpha / 2, df) * se;
  return {
    status: 'ok',
    diff,
    se,
    df,
    t,
    pValue: Math.min(1, 2 * tSf(Math.abs(t), df)),
    lower: diff - half,
    upper: diff + half,
  };
}

/** Welch–Satterthwaite degrees of freedom of two variances of means. */
function welchDf(vT: number, nT: number, vC: number, nC: number): number {
  // Shares of the whole, since squares of tiny variances would underflow.
  const share = vT / (vT + vC);
  return 1 / (share ** 2 / (nT - 1) + (1 - share) ** 2 / (nC - 1));
}

/** Mean of one arm with its t interval. */
export function meanInterval(
  sample: Sample,
  alpha: number,
): Outcome<
  {
    readonly estimate: number;
    readonly se: number;
    readonly lower: number;
    readonly upper: number;
  },
  { readonly estimate?: number }
> {
  if (!isSample(sample) || !isLevel(alpha)) return refuse('INVALID_INPUT');
  const { n, mean, variance } = sample;
  if (n === 0) return refuse('NO_UNITS');
  if (n < 2) return { status: 'INSUFFICIENT_UNITS', estimate: mean };
  const se = Math.sqrt(variance / n);
  const half = tIsf(alpha / 2, n - 1) * se;
  return { status: 'ok', estimate: mean, se, lower: mean - half, upper: mean + half };
}

export interface MeanLift {
  /** (T − C) / |C| as a fraction. */
  readonly lift: number;
  /** −Infinity and Infinity when the control mean cannot be told from zero. */
  readonly lower: number;
  readonly upper: number;
  /** Squared ratio of the critical value to the control's own t; from 1 on there is no limit. */
  readonly g: number;
  readonly flags: readonly Flag[];
}

/**
 * Fieller's interval of the relative lift (Fieller 1954), with Welch's critical value: it excludes
 * zero exactly when the test of the difference rejects.
 *
 * @param alpha two-sided, 0 < alpha < 1
 */
export function fiellerLift(treatment: Sample, control: Sample, alpha: number): Outcome<MeanLift> {
  const test = welchDifference(treatment, control, alpha);
  if (test.status !== 'ok') return refuse(test.status);
  if (control.mean === 0) return refuse('ZERO_BASELINE');
  const vT = treatment.variance / treatment.n;
  const vC = control.variance / control.n;
  const critical = tIsf(alpha / 2, test.df);
  const c2 = critical * critical;
  const lift = test.diff / Math.abs(control.mean);
  const g = (c2 * vC) / (control.mean * control.mean);
  const flags: Flag[] = control.mean < 0 ? ['NEGATIVE_BASELINE'] : [];
  if (g >= 1) {
    const [lower, upper] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
    return { status: 'ok', lift, lower, upper, g, flags: [...flags, 'UNBOUNDED_LIFT'] };
  }
  // Scaled by the control mean, so that a, b and d are of the size of the ratio.
  const ratio = treatment.mean / control.mean;
  const a = 1 - g;
  const d = ratio * ratio - (c2 * vT) / (control.mean * control.mean);
  const root = Math.sqrt(Math.max(0, ratio * ratio - a * d));
  const [low, high] = [(ratio - root) / a, (ratio + root) / a];
  const [lower, upper] = control.mean > 0 ? [low - 1, high - 1] : [1 - high, 1 - low];
  return { status: 'ok', lift, lower, upper, g, flags };
}
