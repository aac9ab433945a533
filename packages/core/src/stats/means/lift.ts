import { tIsf } from '../distributions/student.ts';
import type { Flag, Outcome } from '../outcome.ts';
import { type MeanDifference, type Sample, welchDifference } from './welch.ts';

/** Two estimates with the (co)variances of the estimates themselves. */
export interface EstimatePair {
  readonly treatment: number;
  /** Not 0. */
  readonly control: number;
  readonly varianceTreatment: number;
  readonly varianceControl: number;
  /** 0 for independent arms. */
  readonly covariance?: number;
}

/** A relative lift with its interval. */
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
 * Fieller's interval of a lift (Fieller 1954) from two estimates.
 *
 * @param critical two-sided critical value of the test of the difference
 */
export function fiellerInterval(pair: EstimatePair, critical: number): MeanLift {
  const { treatment, control, varianceTreatment, varianceControl, covariance = 0 } = pair;
  const square = (critical / control) ** 2;
  const g = square * varianceControl;
  // Relative to the control mean with its sign; turned round below where that is negative.
  const change = (treatment - control) / control;
  const sign = control < 0 ? -1 : 1;
  const flags: Flag[] = control < 0 ? ['NEGATIVE_BASELINE'] : [];
  const lift = sign * change;
  if (!(g < 1)) {
    const [lower, upper] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
    return { lift, lower, upper, g, flags: [...flags, 'UNBOUNDED_LIFT'] };
  }
  const ratio = treatment / control;
  const h = square * covariance;
  const e = square * varianceTreatment;
  // b² − ad of the textbook, written out so that the large terms are gone.
  const root = Math.sqrt(Math.max(0, g * ratio * ratio - 2 * ratio * h + h * h + e * (1 - g)));
  // The limits are the roots of (1 − g)u² − 2·middle·u + rest. Near g = 1 one of them runs away, and
  // only their product still has the digits of the other.
  const middle = change + g - h;
  const rest = change * change - (e - 2 * h + g);
  const sum = middle < 0 ? middle - root : middle + root;
  const outer = sum / (1 - g);
  const inner = sum === 0 ? 0 : rest / sum;
  const [low, high] = middle < 0 ? [outer, inner] : [inner, outer];
  const [lower, upper] = sign === 1 ? [low, high] : [-high, -low];
  return { lift, lower, upper, g, flags };
}

/** What is still known when there is no interval of the lift. */
export interface LiftRemainder {
  readonly diff?: number;
  readonly lift?: number;
  /** Of the difference, two-sided, where only the baseline is missing. */
  readonly pValue?: number;
}

type WithTest<T> = (test: MeanDifference, vT: number, vC: number) => T;

/** Welch's test first, then what only a control mean other than zero allows. */
function withBaseline<T>(
  treatment: Sample,
  control: Sample,
  alpha: number,
  compute: WithTest<T>,
): Outcome<T, LiftRemainder> {
  const test = welchDifference(treatment, control, alpha);
  if (test.status !== 'ok') {
    const { diff } = test;
    if (diff === undefined) return { status: test.status };
    const lift = control.mean === 0 ? {} : { lift: diff / Math.abs(control.mean) };
    return { status: test.status, diff, ...lift };
  }
  if (control.mean === 0) {
    return { status: 'ZERO_BASELINE', diff: test.diff, pValue: test.pValue };
  }
  const vT = treatment.variance / treatment.n;
  const vC = control.variance / control.n;
  return { status: 'ok', ...compute(test, vT, vC) };
}

/**
 * Fieller's interval of the relative lift (Fieller 1954), with Welch's critical value: it excludes
 * zero exactly when the test of the difference rejects. Refuses as `welchDifference` does, and
 * ZERO_BASELINE.
 *
 * @param alpha two-sided, 0 < alpha < 1
 */
export function fiellerLift(
  treatment: Sample,
  control: Sample,
  alpha: number,
): Outcome<MeanLift, LiftRemainder> {
  return withBaseline(treatment, control, alpha, ({ df }, vT, vC) =>
    fiellerInterval(
      {
        treatment: treatment.mean,
        control: control.mean,
        varianceTreatment: vT,
        varianceControl: vC,
      },
      tIsf(alpha / 2, df),
    ),
  );
}

/** A lift with a standard error, for other tools and for priors on the lift. */
export interface DeltaLift {
  readonly lift: number;
  /** Standard error of the lift. */
  readonly se: number;
  readonly lower: number;
  readonly upper: number;
}

/**
 * Interval of the relative lift by the delta method. It covers too rarely for small or skewed
 * samples and may disagree with the test of the difference. Refuses as `fiellerLift` does.
 *
 * @param alpha two-sided, 0 < alpha < 1
 */
export function deltaLift(
  treatment: Sample,
  control: Sample,
  alpha: number,
): Outcome<DeltaLift, LiftRemainder> {
  return withBaseline(treatment, control, alpha, ({ diff, df }, vT, vC) => {
    const lift = diff / Math.abs(control.mean);
    const ratio = treatment.mean / control.mean;
    const se = Math.sqrt(vT + ratio * ratio * vC) / Math.abs(control.mean);
    const half = tIsf(alpha / 2, df) * se;
    return { lift, se, lower: lift - half, upper: lift + half };
  });
}

/** A lift whose interval is symmetric on the scale of logarithms. */
export interface LogLift {
  readonly lift: number;
  /** Standard error of ln(T/C); null, as the limits, unless both means are above zero. */
  readonly seLog: number | null;
  readonly lower: number | null;
  readonly upper: number | null;
}

/**
 * Interval of the relative lift on the scale of logarithms. Refuses as `fiellerLift` does.
 *
 * @param alpha two-sided, 0 < alpha < 1
 */
export function logLift(
  treatment: Sample,
  control: Sample,
  alpha: number,
): Outcome<LogLift, LiftRemainder> {
  return withBaseline<LogLift>(treatment, control, alpha, ({ diff, df }, vT, vC) => {
    const lift = diff / Math.abs(control.mean);
    if (treatment.mean <= 0 || control.mean <= 0) {
      return { lift, seLog: null, lower: null, upper: null };
    }
    const seLog = Math.hypot(Math.sqrt(vT) / treatment.mean, Math.sqrt(vC) / control.mean);
    const half = tIsf(alpha / 2, df) * seLog;
    const centre = Math.log(treatment.mean / control.mean);
    return { lift, seLog, lower: Math.expm1(centre - half), upper: Math.expm1(centre + half) };
  });
}
