import { normalSf } from './distributions/normal.ts';
import { tIsf, tSf } from './distributions/student.ts';
import { isSample, type Sample, welchDf } from './means/welch.ts';
import {
  type Flag,
  isLevel,
  isPositive,
  type Outcome,
  type RefusalCode,
  refuse,
} from './outcome.ts';
import { scoreZ } from './proportions/score-difference.ts';
import { isProportion, type Proportion } from './proportions/wilson.ts';

// Guardrails: one-sided tests that a treatment is not worse than the control by a margin or more.
// With a margin of 0 they test superiority.

/** In which direction the metric is good, and how the test decides. */
export interface NonInferiorityOptions {
  readonly goodDirection: 'increase' | 'decrease';
  /** How much worse is still harmless, ≥ 0. */
  readonly margin: number;
  /** One-sided. */
  readonly alpha: number;
}

/** A test by Student's t. */
export interface NonInferiority {
  readonly t: number;
  readonly df: number;
  /** One-sided: small when the treatment is not inferior. */
  readonly pValue: number;
  readonly nonInferior: boolean;
}

/** A test of an absolute margin. */
export interface AbsoluteNonInferiority extends NonInferiority {
  /** The worst difference (treatment minus control) that is not excluded. */
  readonly oneSidedBound: number;
}

const isMargin = ({ margin, alpha }: NonInferiorityOptions): boolean =>
  Number.isFinite(margin) && margin >= 0 && isLevel(alpha);

function refusalOf(
  treatment: Sample,
  control: Sample,
  options: NonInferiorityOptions,
): RefusalCode | null {
  if (!isSample(treatment) || !isSample(control) || !isMargin(options)) return 'INVALID_INPUT';
  if (treatment.n === 0 || control.n === 0) return 'NO_UNITS';
  return treatment.n < 2 || control.n < 2 ? 'INSUFFICIENT_UNITS' : null;
}

/**
 * Non-inferiority of means by an absolute margin, in units of the metric. It holds exactly when the
 * one-sided bound is better than the margin. Refuses as `welchDifference` does.
 */
export function nonInferiorityAbsolute(
  treatment: Sample,
  control: Sample,
  options: NonInferiorityOptions,
): Outcome<AbsoluteNonInferiority> {
  const refusal = refusalOf(treatment, control, options);
  if (refusal !== null) return refuse(refusal);
  const { margin, alpha, goodDirection } = options;
  const sign = goodDirection === 'increase' ? 1 : -1;
  const vT = treatment.variance / treatment.n;
  const vC = control.variance / control.n;
  const se = Math.sqrt(vT + vC);
  if (se === 0) return refuse('ZERO_VARIANCE');
  const df = welchDf(vT, treatment.n - 1, vC, control.n - 1);
  const diff = treatment.mean - control.mean;
  const t = (sign * diff + margin) / se;
  const pValue = tSf(t, df);
  return {
    status: 'ok',
    t,
    df,
    pValue,
    oneSidedBound: diff - sign * tIsf(alpha, df) * se,
    nonInferior: pValue < alpha,
  };
}

/**
 * Non-inferiority of means by a margin relative to the control mean, tested without a division.
 * Refuses as `welchDifference` does, and ZERO_BASELINE.
 */
export function nonInferiorityRelative(
  treatment: Sample,
  control: Sample,
  options: NonInferiorityOptions,
): Outcome<NonInferiority & { readonly flags: readonly Flag[] }> {
  const refusal = refusalOf(treatment, control, options);
  if (refusal !== null) return refuse(refusal);
  if (control.mean === 0) return refuse('ZERO_BASELINE');
  const { margin, alpha, goodDirection } = options;
  const sign = goodDirection === 'increase' ? 1 : -1;
  // Worse by the margin is this multiple of the control; of a negative one, more of it is less.
  const k = 1 - sign * margin * Math.sign(control.mean);
  const vT = treatment.variance / treatment.n;
  const vC = (k * k * control.variance) / control.n;
  const se = Math.sqrt(vT + vC);
  if (se === 0) return refuse('ZERO_VARIANCE');
  const df = welchDf(vT, treatment.n - 1, vC, control.n - 1);
  const t = (sign * (treatment.mean - k * control.mean)) / se;
  const pValue = tSf(t, df);
  const flags: Flag[] = control.mean < 0 ? ['NEGATIVE_BASELINE'] : [];
  return { status: 'ok', t, df, pValue, nonInferior: pValue < alpha, flags };
}

/** A test of an absolute margin of rates. */
export interface ScoreNonInferiority {
  readonly z: number;
  readonly pValue: number;
  readonly nonInferior: boolean;
}

/**
 * Non-inferiority of proportions by an absolute margin, with the score statistic (Farrington &
 * Manning 1990; Miettinen & Nurminen 1985); works without a single success. Refuses INVALID_INPUT and
 * NO_UNITS.
 */
export function nonInferiorityProportion(
  treatment: Proportion,
  control: Proportion,
  options: NonInferiorityOptions,
): Outcome<ScoreNonInferiority> {
  const { margin, alpha, goodDirection } = options;
  const isValid = isProportion(treatment) && isProportion(control) && isMargin(options);
  if (!isValid || !(margin < 1)) return refuse('INVALID_INPUT');
  if (!isPositive(treatment.n) || !isPositive(control.n)) return refuse('NO_UNITS');
  const sign = goodDirection === 'increase' ? 1 : -1;
  const z = sign * scoreZ(treatment, control, -sign * margin);
  const pValue = normalSf(z);
  return { status: 'ok', z, pValue, nonInferior: pValue < alpha };
}
