import type { Sample } from '../means/welch.ts';
import { dot, quadraticForm, solveSemidefinite, type Vector } from '../numeric/linear-algebra.ts';
import { type Flag, isLevel, type Outcome, refuse } from '../outcome.ts';
import {
  type AdjustedDifference,
  armsRefusal,
  type CovariateArm,
  compareAdjusted,
  pooledMatrix,
  pooledMeanX,
} from './arms.ts';

/** A metric Y and one covariate X, measured before exposure, of one arm. */
export interface CupedArm {
  readonly n: number;
  readonly meanY: number;
  readonly varY: number;
  readonly meanX: number;
  readonly varX: number;
  readonly covXY: number;
}

/** A comparison adjusted by several covariates. */
export interface CupedMultiple extends AdjustedDifference {
  /** Slopes; 0 for covariates that were left out. */
  readonly theta: Vector;
}

/** A comparison adjusted by one covariate. */
export interface CupedDifference extends AdjustedDifference {
  readonly theta: number;
  /** The slope that ignores arms, which other tools use; for comparison. Null without variance. */
  readonly thetaTotalSample: number | null;
}

/** Which covariates were left out, and why. */
export function covariateFlags(variances: Vector, kept: readonly number[]): Flag[] {
  const dropped = variances.filter((_, column) => !kept.includes(column));
  const flags: Flag[] = [];
  if (dropped.some((variance) => variance === 0)) flags.push('DEGENERATE_COVARIATE');
  if (dropped.some((variance) => variance > 0)) flags.push('COLLINEAR_COVARIATES_DROPPED');
  return flags;
}

const rawSample = ({ n, meanY, varY }: CovariateArm): Sample => ({
  n,
  mean: meanY,
  variance: varY,
});

/**
 * CUPED with several covariates and one slope each for all arms (Deng, Xu, Kohavi & Walker 2013):
 * the slopes are pooled within arms, so that a control has the same adjusted mean against every
 * treatment. Covariates that others determine are passed over in the given order. Refuses as
 * `welchDifference` does.
 *
 * @param alpha two-sided, 0 < alpha < 1
 * @param others the experiment's other arms, which help to estimate the slopes
 */
export function cupedMultiple(
  treatment: CovariateArm,
  control: CovariateArm,
  alpha: number,
  others: readonly CovariateArm[] = [],
): Outcome<CupedMultiple, { readonly diff?: number }> {
  const arms = [treatment, control, ...others] as const;
  const refusal = armsRefusal(arms);
  if (refusal !== null) return refusal;
  if (!isLevel(alpha)) return refuse('INVALID_INPUT');
  const within = pooledMatrix(
    arms,
    arms.map(({ covX }) => covX),
  );
  const [slopes = []] = pooledMatrix(
    arms,
    arms.map(({ covXY }) => [covXY]),
  );
  const { solution: theta, kept } = solveSemidefinite(within, slopes);
  const centre = pooledMeanX(arms);
  const adjust = (arm: CovariateArm): Sample => ({
    n: arm.n,
    mean: arm.meanY - dot(theta, difference(arm.meanX, centre)),
    variance: Math.max(0, arm.varY + quadraticForm(theta, arm.covX) - 2 * dot(theta, arm.covXY)),
  });
  const flags = covariateFlags(
    within.map((row, i) => row[i] ?? 0),
    kept,
  );
  const compared = compareAdjusted(
    [adjust(treatment), adjust(control)],
    [rawSample(treatment), rawSample(control)],
    alpha,
    flags,
  );
  return compared.status === 'ok' ? { ...compared, theta } : compared;
}

/** a − b. */
export const difference = (a: Vector, b: Vector): Vector =>
  a.map((value, i) => value - (b[i] ?? 0));

const toVectors = ({ n, meanY, varY, meanX, varX, covXY }: CupedArm): CovariateArm => ({
  n,
  meanY,
  varY,
  meanX: [meanX],
  covX: [[varX]],
  covXY: [covXY],
});

/** Cov(X, Y) / Var(X) over all units, the differences between arms included. */
function totalSampleSlope(arms: readonly CupedArm[]): number | null {
  const total = arms.reduce((sum, { n }) => sum + n, 0);
  const mean = (of: (arm: CupedArm) => number): number =>
    arms.reduce((sum, arm) => sum + (arm.n / total) * of(arm), 0);
  const meanX = mean((arm) => arm.meanX);
  const meanY = mean((arm) => arm.meanY);
  let products = 0;
  let squares = 0;
  for (const arm of arms) {
    const offset = arm.meanX - meanX;
    products += (arm.n - 1) * arm.covXY + arm.n * offset * (arm.meanY - meanY);
    squares += (arm.n - 1) * arm.varX + arm.n * offset * offset;
  }
  return squares > 0 ? products / squares : null;
}

/**
 * CUPED with one covariate (Deng, Xu, Kohavi & Walker 2013), its slope pooled within arms. Where the
 * covariate does not vary, the result is the unadjusted one, flagged DEGENERATE_COVARIATE. Refuses
 * as `welchDifference` does. Below some fifty units per arm prefer the unadjusted result.
 *
 * @param alpha two-sided, 0 < alpha < 1
 * @param others the experiment's other arms, which help to estimate the slope
 */
export function cupedDifference(
  treatment: CupedArm,
  control: CupedArm,
  alpha: number,
  others: readonly CupedArm[] = [],
): Outcome<CupedDifference, { readonly diff?: number }> {
  const outcome = cupedMultiple(
    toVectors(treatment),
    toVectors(control),
    alpha,
    others.map(toVectors),
  );
  if (outcome.status !== 'ok') return outcome;
  const thetaTotalSample = totalSampleSlope([treatment, control, ...others]);
  return { ...outcome, theta: outcome.theta[0] ?? 0, thetaTotalSample };
}
