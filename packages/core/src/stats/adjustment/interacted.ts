import { type MeanDifference, tDifference, welchDf } from '../means/welch.ts';
import {
  dot,
  type Matrix,
  quadraticForm,
  solveSemidefinite,
  type Vector,
} from '../numeric/linear-algebra.ts';
import { type Flag, isLevel, type Outcome, refuse } from '../outcome.ts';
import { armsRefusal, type CovariateArm, pooledMatrix, pooledMeanX } from './arms.ts';
import { covariateFlags, difference } from './cuped.ts';

/** A comparison adjusted with slopes of each arm's own. */
export interface InteractedDifference extends MeanDifference {
  /** Slopes of each arm; 0 for covariates that were left out. */
  readonly betaTreatment: Vector;
  readonly betaControl: Vector;
  readonly adjustedMeanTreatment: number;
  readonly adjustedMeanControl: number;
  readonly residualVarianceTreatment: number;
  readonly residualVarianceControl: number;
  /** The part of the squared standard error that comes from slopes that differ. */
  readonly slopeHeterogeneityVariance: number;
  readonly flags: readonly Flag[];
}

/** Covariances over all units of both arms, the difference of their means included. */
function totalCovariance(arms: readonly CovariateArm[], centre: Vector): Matrix {
  const total = arms.reduce((sum, { n }) => sum + n, 0);
  const within = pooledMatrix(
    arms,
    arms.map(({ covX }) => covX),
  );
  return within.map((row, i) =>
    row.map((product, j) => {
      const between = arms.reduce((sum, { n, meanX }) => {
        const [a, b] = [(meanX[i] ?? 0) - (centre[i] ?? 0), (meanX[j] ?? 0) - (centre[j] ?? 0)];
        return sum + n * a * b;
      }, 0);
      return (product + between) / (total - 1);
    }),
  );
}

/** An arm with the given covariates alone. */
const pick = (arm: CovariateArm, columns: readonly number[]): CovariateArm => ({
  ...arm,
  meanX: columns.map((i) => arm.meanX[i] ?? 0),
  covX: columns.map((i) => columns.map((j) => arm.covX[i]?.[j] ?? 0)),
  covXY: columns.map((i) => arm.covXY[i] ?? 0),
});

/** Columns that are independent of each other in every arm. */
function usableColumns(arms: readonly CovariateArm[]): readonly number[] {
  const kept = arms.map(({ covX, covXY }) => solveSemidefinite(covX, covXY).kept);
  const [first = [], ...rest] = kept;
  return first.filter((column) => rest.every((others) => others.includes(column)));
}

/**
 * Regression adjustment with slopes of each arm's own (Lin 2013), never worse in large samples than
 * common slopes and better for unequal arms or effects that vary. The variance allows for units drawn
 * from a population (Negi & Wooldridge 2021). Refuses INVALID_INPUT, NO_UNITS, ZERO_VARIANCE and,
 * unless each arm has more than p + 2 units for p covariates, INSUFFICIENT_UNITS.
 *
 * @param alpha two-sided, 0 < alpha < 1
 */
export function interactedDifference(
  treatment: CovariateArm,
  control: CovariateArm,
  alpha: number,
): Outcome<InteractedDifference, { readonly diff?: number }> {
  const refusal = armsRefusal([treatment, control]);
  if (refusal !== null) return refusal;
  if (!isLevel(alpha)) return refuse('INVALID_INPUT');
  const columns = usableColumns([treatment, control]);
  const p = columns.length;
  if (Math.min(treatment.n, control.n) <= p + 2) {
    return { status: 'INSUFFICIENT_UNITS', diff: treatment.meanY - control.meanY };
  }
  const arms = [pick(treatment, columns), pick(control, columns)];
  const centre = pooledMeanX(arms);
  const [t, c] = arms.map((arm) => {
    const { solution: beta } = solveSemidefinite(arm.covX, arm.covXY);
    const unexplained = Math.max(0, arm.varY - dot(arm.covXY, beta));
    return {
      beta,
      mean: arm.meanY - dot(beta, difference(arm.meanX, centre)),
      residual: (unexplained * (arm.n - 1)) / (arm.n - 1 - p),
    };
  });
  if (t === undefined || c === undefined) return refuse('INVALID_INPUT');
  const diff = t.mean - c.mean;
  const vT = t.residual / treatment.n;
  const vC = c.residual / control.n;
  if (vT + vC === 0) return { status: 'ZERO_VARIANCE', diff };
  const spread = quadraticForm(difference(t.beta, c.beta), totalCovariance(arms, centre));
  const slopeHeterogeneityVariance = spread / (treatment.n + control.n);
  const se = Math.sqrt(vT + vC + slopeHeterogeneityVariance);
  const df = welchDf(vT, treatment.n - 1 - p, vC, control.n - 1 - p);
  const expand = (beta: Vector): Vector =>
    treatment.meanX.map((_, column) => beta[columns.indexOf(column)] ?? 0);
  const variances = treatment.covX.map((row, i) =>
    Math.min(row[i] ?? 0, control.covX[i]?.[i] ?? 0),
  );
  return {
    status: 'ok',
    ...tDifference(diff, se, df, alpha),
    betaTreatment: expand(t.beta),
    betaControl: expand(c.beta),
    adjustedMeanTreatment: t.mean,
    adjustedMeanControl: c.mean,
    residualVarianceTreatment: t.residual,
    residualVarianceControl: c.residual,
    slopeHeterogeneityVariance,
    flags: covariateFlags(variances, columns),
  };
}
