import type { Matrix, Vector } from './numeric/linear-algebra.ts';

// Sufficient statistics of several values per unit: ratios have two, covariates more.

/** Count, means and sums of products of deviations of several values per unit. */
export interface JointMoments {
  readonly n: number;
  readonly mean: Vector;
  /** Σ(x_i − mean_i)(x_j − mean_j), symmetric. */
  readonly products: Matrix;
}

function freeze(n: number, mean: number[], products: number[][]): JointMoments {
  for (const row of products) Object.freeze(row);
  return Object.freeze({ n, mean: Object.freeze(mean), products: Object.freeze(products) });
}

/**
 * Joint moments from sums of deviations from constants. Constants near the means keep the digits
 * that products would lose.
 *
 * @param n units, ≥ 1
 * @param sums Σ(x_i − c_i)
 * @param productSums Σ(x_i − c_i)(x_j − c_j), symmetric
 * @param shifts c_i; 0 when absent
 */
export function jointMomentsFromSums(
  n: number,
  sums: Vector,
  productSums: Matrix,
  shifts: Vector = [],
): JointMoments {
  const mean = sums.map((sum, i) => (shifts[i] ?? 0) + sum / n);
  const products = productSums.map((row, i) =>
    row.map((product, j) => {
      const centred = product - ((sums[i] ?? 0) * (sums[j] ?? 0)) / n;
      // Rounding can leave a variance a little below zero, which it cannot be.
      return i === j ? Math.max(0, centred) : centred;
    }),
  );
  return freeze(n, mean, products);
}

/** The joint moments of both parts together (Chan, Golub & LeVeque 1983). */
export function mergeJointMoments(a: JointMoments, b: JointMoments): JointMoments {
  if (a.n === 0) return b;
  if (b.n === 0) return a;
  const n = a.n + b.n;
  const delta = b.mean.map((value, i) => value - (a.mean[i] ?? 0));
  const mean = delta.map((value, i) => (a.mean[i] ?? 0) + (value * b.n) / n);
  const factor = (a.n / n) * b.n;
  const products = a.products.map((row, i) =>
    row.map(
      (product, j) =>
        product + (b.products[i]?.[j] ?? 0) + (delta[i] ?? 0) * (delta[j] ?? 0) * factor,
    ),
  );
  return freeze(n, mean, products);
}

/** Sample covariances (ddof 1). @param moments of at least two units */
export const covarianceOf = ({ n, products }: JointMoments): Matrix =>
  products.map((row) => row.map((product) => product / (n - 1)));
