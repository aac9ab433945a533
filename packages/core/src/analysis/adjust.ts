import {
  type AdjustedDifference,
  covariateArm,
  cupedMultiple,
  cupedRatioArm,
  cupedRatioDifference,
  type Flag,
  type JointMoments,
  type Outcome,
  type Sample,
} from '../stats/index.ts';
import type { ArmData, CupedNote } from './types.ts';

// CUPED: the samples of two arms, freed of what the users did before their assignment.

/** Two arms as every test of means takes them. */
export interface Pair {
  readonly treatment: Sample;
  readonly control: Sample;
  readonly flags: readonly Flag[];
  readonly cuped: CupedNote | null;
}

/** The data of all arms, and which of them are compared. */
export interface PairOf {
  readonly arms: readonly ArmData[];
  readonly treatment: number;
  readonly control: number;
}

/** Below this many users in an arm the slope's own error outweighs what it gains (§3.1). */
const USERS_MIN = 50;
/** An adjusted variance that is so small a part of the raw one is what cancelling left. */
const ROUNDING = 1e-12;
/** From this many of its standard errors on, a mean denominator is well above zero. */
const DENOMINATOR_T_MIN = 8;
/** An arm's denominators so far below those of another arm are none, but for rounding. */
const DENOMINATOR_MIN = 1e-9;

type Adjusted = Outcome<
  Pick<AdjustedDifference, 'treatment' | 'control' | 'varianceReduction' | 'flags'> & {
    readonly theta: number;
  }
>;

/** Moments of [y, x], where an arm has a covariate and the users to estimate a slope from. */
function covariateMoments(data: ArmData | undefined): JointMoments[] {
  const moments = data?.kind === 'rate' ? data.joint : data?.kind === 'mean' ? data.moments : null;
  return moments && moments.n >= 2 && moments.mean.length === 2 ? [moments] : [];
}

/** Moments of [y − R·d, d, x − Q·m, m]; their ratios are the true ones less R and Q. */
function ratioMoments(data: ArmData | undefined): JointMoments[] {
  if (data?.kind !== 'ratio' || data.denominator === 0) return [];
  const { moments } = data;
  return moments.n >= 2 && moments.mean.length === 4 ? [moments] : [];
}

/** Treatment, control, then the other arms, as far as `of` finds something in them. */
function inOrder(
  { arms, treatment, control }: PairOf,
  of: (data: ArmData | undefined) => JointMoments[],
): readonly JointMoments[] | null {
  const compared = [...of(arms[treatment]), ...of(arms[control])];
  if (compared.length < 2) return null;
  const others = arms.filter((_, k) => k !== treatment && k !== control);
  return [...compared, ...others.flatMap(of)];
}

function adjustMeans(pair: PairOf, alpha: number): Adjusted | null {
  const [treatment, control, ...others] = inOrder(pair, covariateMoments)?.map(covariateArm) ?? [];
  if (treatment === undefined || control === undefined) return null;
  const outcome = cupedMultiple(treatment, control, alpha, others);
  return outcome.status === 'ok' ? { ...outcome, theta: outcome.theta[0] ?? 0 } : outcome;
}

/** Which arms' denominators before the assignment make a ratio. */
function haveDenominator(arms: readonly JointMoments[]): readonly boolean[] {
  const means = arms.map(({ mean }) => Math.abs(mean[3] ?? 0));
  const largest = Math.max(...means);
  return arms.map(({ n, products }, k) => {
    const error = Math.sqrt((products[3]?.[3] ?? 0) / (n - 1) / n);
    const mean = means[k] ?? 0;
    return mean > DENOMINATOR_MIN * largest && mean >= DENOMINATOR_T_MIN * error;
  });
}

function adjustRatios(pair: PairOf, alpha: number): Adjusted | null {
  const arms = inOrder(pair, ratioMoments) ?? [];
  const isUsable = haveDenominator(arms);
  if (!isUsable[0] || !isUsable[1]) return null;
  const usable = arms.filter((_, k) => isUsable[k]);
  const [treatment, control, ...others] = usable.map(cupedRatioArm);
  if (treatment === undefined || control === undefined) return null;
  const outcome = cupedRatioDifference(treatment, control, alpha, others);
  if (outcome.status !== 'ok') return outcome;
  const data = pair.arms[pair.control];
  const about = data?.kind === 'ratio' ? data.about : 0;
  const shifted = (sample: Sample): Sample => ({ ...sample, mean: sample.mean + about });
  const [t, c] = [shifted(outcome.treatment), shifted(outcome.control)];
  return { ...outcome, treatment: t, control: c };
}

/**
 * A pair adjusted by its covariate with one slope for all arms of the experiment, so that the control
 * is the same against every treatment (Deng, Xu, Kohavi & Walker 2013). Without a covariate, with
 * few users, or where the covariate leaves nothing to test with, the pair as it is.
 *
 * @param of with clean moments
 * @param raw the pair without regard to the covariate
 */
export function adjust(of: PairOf, raw: Pair, alpha: number): Pair {
  if (Math.min(raw.treatment.n, raw.control.n) < USERS_MIN) return raw;
  const isRatio = of.arms[of.control]?.kind === 'ratio';
  const adjusted = isRatio ? adjustRatios(of, alpha) : adjustMeans(of, alpha);
  if (adjusted === null || adjusted.status !== 'ok') return raw;
  if (adjusted.theta === 0) return { ...raw, flags: [...raw.flags, ...adjusted.flags] };
  const withoutNoise = (sample: Sample, before: Sample): Sample =>
    sample.variance < ROUNDING * before.variance ? { ...sample, variance: 0 } : sample;
  const treatment = withoutNoise(adjusted.treatment, raw.treatment);
  const control = withoutNoise(adjusted.control, raw.control);
  if (treatment.variance === 0 && control.variance === 0) return raw;
  return {
    treatment,
    control,
    flags: [...raw.flags, ...adjusted.flags],
    cuped: {
      theta: adjusted.theta,
      varianceReduction: Math.min(1, Math.max(0, adjusted.varianceReduction)),
      unadjustedDifference: raw.treatment.mean - raw.control.mean,
      unadjustedStandardError: Math.sqrt(
        raw.treatment.variance / raw.treatment.n + raw.control.variance / raw.control.n,
      ),
    },
  };
}
