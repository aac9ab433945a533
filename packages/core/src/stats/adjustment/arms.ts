import { covarianceOf, type JointMoments } from '../joint-moments.ts';
import { fiellerLift, type LiftRemainder, type MeanLift } from '../means/lift.ts';
import { type MeanDifference, type Sample, welchDifference } from '../means/welch.ts';
import type { Matrix, Vector } from '../numeric/linear-algebra.ts';
import { type Flag, isCount, type Outcome, refuse } from '../outcome.ts';

/** A metric Y and covariates X, measured before exposure, of one arm. */
export interface CovariateArm {
  readonly n: number;
  readonly meanY: number;
  readonly varY: number;
  readonly meanX: Vector;
  readonly covX: Matrix;
  readonly covXY: Vector;
}

/** An arm from joint moments of Y and the covariates, Y first. @param moments of ≥ 2 units */
export function covariateArm(moments: JointMoments): CovariateArm {
  const [[varY = Number.NaN, ...covXY] = [], ...rows] = covarianceOf(moments);
  const [meanY = Number.NaN, ...meanX] = moments.mean;
  return { n: moments.n, meanY, varY, meanX, covX: rows.map((row) => row.slice(1)), covXY };
}

/** Rounding may leave a squared correlation a little above one. */
const CORRELATION_SLACK = 1 + 1e-6;

/** Whether an arm's numbers are possible, with p covariates. */
function isCovariateArm(arm: CovariateArm, p: number): boolean {
  const numbers = [arm.meanY, arm.varY, ...arm.meanX, ...arm.covXY, ...arm.covX.flat()];
  return (
    isCount(arm.n) &&
    arm.meanX.length === p &&
    arm.covXY.length === p &&
    arm.covX.length === p &&
    arm.covX.every((row, i) => row.length === p && (row[i] ?? -1) >= 0) &&
    arm.varY >= 0 &&
    arm.covXY.every(
      (cov, i) => cov * cov <= arm.varY * (arm.covX[i]?.[i] ?? 0) * CORRELATION_SLACK,
    ) &&
    numbers.every((value) => Number.isFinite(value))
  );
}

/** A refusal to compare arms, with the difference of their means as they are where there is one. */
export type ArmsRefusal =
  | { readonly status: 'INVALID_INPUT' | 'NO_UNITS' }
  | { readonly status: 'INSUFFICIENT_UNITS'; readonly diff: number };

/** Why arms, of which the first two are compared, cannot be; null when they can. */
export function armsRefusal(
  arms: readonly [treatment: CovariateArm, control: CovariateArm, ...others: CovariateArm[]],
): ArmsRefusal | null {
  const p = arms[0]?.meanX.length ?? 0;
  if (!arms.every((arm) => isCovariateArm(arm, p))) return refuse('INVALID_INPUT');
  if (arms.some(({ n }) => n === 0)) return refuse('NO_UNITS');
  if (arms.every(({ n }) => n >= 2)) return null;
  return { status: 'INSUFFICIENT_UNITS', diff: arms[0].meanY - arms[1].meanY };
}

/** Means of the covariates over all units of all arms. */
export function pooledMeanX(arms: readonly CovariateArm[]): Vector {
  const total = arms.reduce((sum, { n }) => sum + n, 0);
  const [first] = arms;
  return (first?.meanX ?? []).map((_, i) =>
    arms.reduce((sum, { n, meanX }) => sum + (n / total) * (meanX[i] ?? 0), 0),
  );
}

/** Σ(n_k − 1)·f_k over the arms, for a matrix in each. */
export function pooledMatrix(
  arms: readonly { readonly n: number }[],
  matrices: readonly Matrix[],
): Matrix {
  const [first = []] = matrices;
  return first.map((row, i) =>
    row.map((_, j) =>
      matrices.reduce((sum, m, k) => sum + ((arms[k]?.n ?? 1) - 1) * (m[i]?.[j] ?? 0), 0),
    ),
  );
}

/** A comparison of adjusted means. */
export interface AdjustedDifference extends MeanDifference {
  /** The adjusted arms, as samples that other tests take. */
  readonly treatment: Sample;
  readonly control: Sample;
  /** Share of the variance of the difference that the adjustment took away. */
  readonly varianceReduction: number;
  /** The relative lift by Fieller, which a control mean of zero forbids. */
  readonly lift: Outcome<MeanLift, LiftRemainder>;
  readonly flags: readonly Flag[];
}

/** How far the adjustment may move the estimate, in deviations of that move. */
const CONTAMINATION_DEVIATIONS = 3;
/** A smaller reduction than this is rounding, not a covariate. */
const REDUCTION_MIN = 1e-9;

/** Welch's test and Fieller's lift of adjusted samples beside the raw ones. */
export function compareAdjusted(
  adjusted: readonly [treatment: Sample, control: Sample],
  raw: readonly [treatment: Sample, control: Sample],
  alpha: number,
  flags: readonly Flag[],
): Outcome<AdjustedDifference, { readonly diff?: number }> {
  const [treatment, control] = adjusted;
  const test = welchDifference(treatment, control, alpha);
  if (test.status !== 'ok') return test;
  const [rawT, rawC] = raw;
  const rawSquare = rawT.variance / rawT.n + rawC.variance / rawC.n;
  if (rawSquare === 0) return { status: 'ZERO_VARIANCE', diff: test.diff };
  const varianceReduction = 1 - (test.se * test.se) / rawSquare;
  const moved = Math.abs(test.diff - (rawT.mean - rawC.mean));
  const limit = CONTAMINATION_DEVIATIONS * Math.sqrt(Math.max(0, rawSquare - test.se * test.se));
  const isContaminated = varianceReduction > REDUCTION_MIN && moved > limit;
  return {
    ...test,
    treatment,
    control,
    varianceReduction,
    lift: fiellerLift(treatment, control, alpha),
    flags: isContaminated ? [...flags, 'COVARIATE_CONTAMINATION'] : flags,
  };
}
