import {
  type AdjustedDifference,
  type CovariateArm,
  type CupedRatioArm,
  covariateArm,
  cupedMultiple,
  cupedRatioArm,
  cupedRatioDifference,
  type Flag,
  type JointMoments,
  type Sample,
} from '../stats/index.ts';
import { finite } from './measured.ts';
import type { ArmData, CupedNote } from './types.ts';

// CUPED: the samples of two arms, freed of what the users did before their assignment.

/** Two arms as every test of means takes them. */
export interface Pair {
  readonly treatment: Sample;
  readonly control: Sample;
  readonly flags: readonly Flag[];
  readonly cuped: CupedNote | null;
}

/** Below this many users in an arm the slope's own error outweighs what it gains (§3.1). */
const USERS_MIN = 50;
/**
 * An arm of a rate with fewer successes, or failures, is far from normal, which the adjusted test takes
 * it for: simulated at 90/10 with 1–2 successes in the small arm it rejects 13–15 % at a nominal 5 %.
 */
const OUTCOMES_MIN = 10;
/** An adjusted variance that is so small a part of the raw one is what cancelling left. */
const ROUNDING = 1e-12;
/** From this many of its standard errors on, a mean denominator is well above zero. */
const DENOMINATOR_T_MIN = 8;
/** An arm's denominators so far below those of another arm are none, but for rounding. */
const DENOMINATOR_MIN = 1e-9;

/** The arms of a metric as CUPED takes them; null where an arm has nothing to adjust by. */
export type Covariates =
  | { readonly kind: 'means'; readonly arms: readonly (CovariateArm | null)[] }
  | {
      readonly kind: 'ratios';
      readonly arms: readonly (CupedRatioArm | null)[];
      /** What the residuals' ratios are less. */
      readonly about: number;
    };

/** Moments of [y, x], where an arm has a covariate and the users to estimate a slope from. */
function covariateMoments(data: ArmData): JointMoments | null {
  if (data.kind === 'rate' && Math.min(data.x, data.n - data.x) < OUTCOMES_MIN) return null;
  const moments = data.kind === 'rate' ? data.joint : data.kind === 'mean' ? data.moments : null;
  return moments !== null && moments.n >= 2 && moments.mean.length === 2 ? moments : null;
}

/** Moments of [y − R·d, d, x − Q·m, m]; their ratios are the true ones less R and Q. */
function ratioMoments(data: ArmData): JointMoments | null {
  if (data.kind !== 'ratio' || data.denominator === 0) return null;
  const { moments } = data;
  return moments.n >= 2 && moments.mean.length === 4 ? moments : null;
}

/** Whether denominators before the assignment make a ratio. @param largest mean of all arms' */
function hasDenominator({ n, mean, products }: JointMoments, largest: number): boolean {
  const error = Math.sqrt((products[3]?.[3] ?? 0) / (n - 1) / n);
  const size = Math.abs(mean[3] ?? 0);
  return size > DENOMINATOR_MIN * largest && size >= DENOMINATOR_T_MIN * error;
}

/**
 * What the arms of a metric are adjusted by; null without a covariate.
 *
 * @param arms with clean moments
 */
export function covariatesOf(arms: readonly ArmData[]): Covariates | null {
  const ratio = arms.find((data) => data.kind === 'ratio');
  if (ratio === undefined) {
    const moments = arms.map(covariateMoments);
    if (moments.every((arm) => arm === null)) return null;
    return { kind: 'means', arms: moments.map((arm) => arm && covariateArm(arm)) };
  }
  const moments = arms.map(ratioMoments);
  if (moments.every((arm) => arm === null)) return null;
  const largest = Math.max(...moments.map((arm) => Math.abs(arm?.mean[3] ?? 0)));
  return {
    kind: 'ratios',
    arms: moments.map((arm) => (arm && hasDenominator(arm, largest) ? cupedRatioArm(arm) : null)),
    about: ratio.about,
  };
}

interface Adjusted extends Pick<AdjustedDifference, 'varianceReduction' | 'flags'> {
  readonly treatment: Sample;
  readonly control: Sample;
  readonly theta: number;
}

/** Treatment, control, and the other arms that help to estimate the slope. */
function inOrder<T>(
  arms: readonly (T | null)[],
  t: number,
  c: number,
): readonly [T, T, T[]] | null {
  const [treatment, control] = [arms[t], arms[c]];
  if (!treatment || !control) return null;
  return [treatment, control, arms.flatMap((arm, k) => (k === t || k === c ? [] : (arm ?? [])))];
}

function adjusted(covariates: Covariates, t: number, c: number, alpha: number): Adjusted | null {
  if (covariates.kind === 'means') {
    const arms = inOrder(covariates.arms, t, c);
    if (arms === null) return null;
    const outcome = cupedMultiple(arms[0], arms[1], alpha, arms[2]);
    if (outcome.status !== 'ok') return null;
    const { treatment, control, varianceReduction, flags, theta } = outcome;
    return { treatment, control, varianceReduction, flags, theta: theta[0] ?? 0 };
  }
  const arms = inOrder(covariates.arms, t, c);
  if (arms === null) return null;
  const outcome = cupedRatioDifference(arms[0], arms[1], alpha, arms[2]);
  if (outcome.status !== 'ok') return null;
  const { varianceReduction, flags, theta } = outcome;
  const whole = ({ n, mean, variance }: Sample): Sample => ({
    n,
    mean: mean + covariates.about,
    variance,
  });
  const [treatment, control] = [whole(outcome.treatment), whole(outcome.control)];
  return { treatment, control, varianceReduction, flags, theta };
}

/**
 * A pair adjusted by its covariate with one slope for all arms of the experiment, so that the control
 * is the same against every treatment (Deng, Xu, Kohavi & Walker 2013). Without a covariate, with
 * few users, or where the covariate leaves nothing to test with, the pair as it is.
 *
 * @param raw the pair without regard to the covariate
 * @param treatment index of its arm, as is `control`
 */
export function adjust(
  raw: Pair,
  covariates: Covariates | null,
  treatment: number,
  control: number,
  alpha: number,
): Pair {
  const [rawT, rawC] = [raw.treatment, raw.control];
  if (covariates === null || Math.min(rawT.n, rawC.n) < USERS_MIN) return raw;
  const outcome = adjusted(covariates, treatment, control, alpha);
  if (outcome === null) return raw;
  const { theta, flags } = outcome;
  if (theta === 0) return { ...raw, flags: [...raw.flags, ...flags] };
  const withoutNoise = (sample: Sample, before: Sample): Sample =>
    sample.variance < ROUNDING * before.variance ? { ...sample, variance: 0 } : sample;
  const t = withoutNoise(outcome.treatment, rawT);
  const c = withoutNoise(outcome.control, rawC);
  if (t.variance === 0 && c.variance === 0) return raw;
  return {
    treatment: t,
    control: c,
    flags: [...raw.flags, ...flags],
    cuped: {
      theta,
      varianceReduction: Math.min(1, Math.max(0, outcome.varianceReduction)),
      unadjustedDifference: finite(rawT.mean - rawC.mean),
      unadjustedStandardError: finite(Math.sqrt(rawT.variance / rawT.n + rawC.variance / rawC.n)),
    },
  };
}
