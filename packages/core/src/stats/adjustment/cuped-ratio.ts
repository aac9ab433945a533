import { covarianceOf, type JointMoments } from '../joint-moments.ts';
import type { Sample } from '../means/welch.ts';
import { dot, type Matrix, quadraticForm, type Vector } from '../numeric/linear-algebra.ts';
import { type Flag, isCount, isLevel, type Outcome, refuse } from '../outcome.ts';
import { type AdjustedDifference, compareAdjusted } from './arms.ts';

/**
 * A ratio metric and the same ratio before exposure, of one arm: numerator and denominator after,
 * then numerator and denominator before.
 */
export interface CupedRatioArm {
  readonly n: number;
  /** Four means. */
  readonly means: Vector;
  /** Their 4 × 4 sample covariances (of units, not of means). */
  readonly cov: Matrix;
}

/** An arm from joint moments of its four values. @param moments of ≥ 2 units */
export const cupedRatioArm = (moments: JointMoments): CupedRatioArm => ({
  n: moments.n,
  means: moments.mean,
  cov: covarianceOf(moments),
});

/** A comparison of ratios adjusted by the ratios before exposure. */
export interface CupedRatioDifference extends AdjustedDifference {
  readonly theta: number;
}

const isRatioArm = ({ n, means, cov }: CupedRatioArm): boolean =>
  isCount(n) &&
  means.length === 4 &&
  cov.length === 4 &&
  cov.every((row, i) => row.length === 4 && (row[i] ?? -1) >= 0) &&
  [...means, ...cov.flat()].every((value) => Number.isFinite(value));

/** A ratio of means with the gradient by which its variance follows from four covariances. */
interface LinearRatio {
  readonly ratio: number;
  readonly gradient: Vector;
}

function linearRatio(numerator: number, denominator: number, isBefore: boolean): LinearRatio {
  const ratio = numerator / denominator;
  const parts = [1 / denominator, -ratio / denominator];
  return { ratio, gradient: isBefore ? [0, 0, ...parts] : [...parts, 0, 0] };
}

const bilinear = (a: Vector, m: Matrix, b: Vector): number =>
  dot(
    a,
    m.map((row) => dot(row, b)),
  );

/**
 * CUPED for a ratio of sums (Deng, Xu, Kohavi & Walker 2013 with the delta method of Deng, Knoblich &
 * Lu 2018): both ratios are linearised, and one slope is pooled within arms. Where the denominator
 * before exposure sums to zero, the result is the unadjusted one, flagged. Refuses as
 * `welchDifference` does, and ZERO_DENOMINATOR.
 *
 * @param alpha two-sided, 0 < alpha < 1
 * @param others the experiment's other arms, which help to estimate the slope
 */
export function cupedRatioDifference(
  treatment: CupedRatioArm,
  control: CupedRatioArm,
  alpha: number,
  others: readonly CupedRatioArm[] = [],
): Outcome<CupedRatioDifference, { readonly diff?: number }> {
  const arms = [treatment, control, ...others];
  if (!arms.every(isRatioArm) || !isLevel(alpha)) return refuse('INVALID_INPUT');
  if (arms.some(({ n }) => n === 0)) return refuse('NO_UNITS');
  if (arms.some(({ means }) => means[1] === 0)) return refuse('ZERO_DENOMINATOR');
  if (arms.some(({ n }) => n < 2)) {
    const ratio = ({ means: [y = 0, d = 1] }: CupedRatioArm): number => y / d;
    return { status: 'INSUFFICIENT_UNITS', diff: ratio(treatment) - ratio(control) };
  }
  const isUsable = arms.every(({ means }) => means[3] !== 0);
  let products = 0;
  let squares = 0;
  let numerator = 0;
  let denominator = 0;
  const lines = arms.map(({ n, means, cov }) => {
    const [y = 0, d = 1, x = 0, m = 1] = means;
    const after = linearRatio(y, d, false);
    const before = isUsable ? linearRatio(x, m, true) : { ratio: 0, gradient: [0, 0, 0, 0] };
    products += (n - 1) * bilinear(after.gradient, cov, before.gradient);
    squares += (n - 1) * quadraticForm(before.gradient, cov);
    numerator += n * x;
    denominator += n * m;
    return { n, cov, after, before };
  });
  const isDegenerate = !(squares > 0) || denominator === 0;
  const theta = isDegenerate ? 0 : products / squares;
  const centre = isDegenerate ? 0 : numerator / denominator;
  const sample = ({ n, cov, after, before }: (typeof lines)[number], slope: number): Sample => ({
    n,
    mean: after.ratio - slope * (before.ratio - centre),
    variance: Math.max(
      0,
      quadraticForm(after.gradient, cov) +
        slope * slope * quadraticForm(before.gradient, cov) -
        2 * slope * bilinear(after.gradient, cov, before.gradient),
    ),
  });
  const [t, c] = lines;
  if (t === undefined || c === undefined) return refuse('INVALID_INPUT');
  const flags: Flag[] = isDegenerate ? ['DEGENERATE_COVARIATE'] : [];
  const compared = compareAdjusted(
    [sample(t, theta), sample(c, theta)],
    [sample(t, 0), sample(c, 0)],
    alpha,
    flags,
  );
  return compared.status === 'ok' ? { ...compared, theta } : compared;
}
