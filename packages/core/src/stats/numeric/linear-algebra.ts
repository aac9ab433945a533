// The few operations on small symmetric matrices that covariates need.

export type Vector = readonly number[];
export type Matrix = readonly Vector[];

/** Σ a_i b_i. */
export const dot = (a: Vector, b: Vector): number =>
  a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);

/** x'Mx. */
export const quadraticForm = (x: Vector, m: Matrix): number =>
  dot(
    x,
    m.map((row) => dot(row, x)),
  );

/** A column is a combination of those before it when this share of its variance is left, or less. */
const PIVOT_MIN = 1e-10;

interface Solution {
  /** With 0 for what was dropped. */
  readonly solution: Vector;
  /** The columns that were used, ascending. */
  readonly kept: readonly number[];
}

/**
 * Solves Mx = v for a symmetric, positive semidefinite M by Cholesky's method, passing over columns
 * that depend on those before them, in the given order.
 */
export function solveSemidefinite(m: Matrix, v: Vector): Solution {
  const kept: number[] = [];
  // Rows of the Cholesky factor, one for each kept column.
  const factor: number[][] = [];
  for (let column = 0; column < v.length; column++) {
    const row: number[] = [];
    for (const [i, other] of kept.entries()) {
      const above = factor[i] ?? [];
      row.push(((m[column]?.[other] ?? 0) - dot(row, above.slice(0, i))) / (above[i] ?? 1));
    }
    const variance = m[column]?.[column] ?? 0;
    const pivot = variance - dot(row, row);
    if (!(pivot > PIVOT_MIN * variance)) continue;
    row.push(Math.sqrt(pivot));
    factor.push(row);
    kept.push(column);
  }
  return { solution: substitute(factor, kept, v), kept };
}

/** Forward and backward substitution with a Cholesky factor. */
function substitute(factor: Matrix, kept: readonly number[], v: Vector): Vector {
  const forward: number[] = [];
  for (const [i, column] of kept.entries()) {
    const row = factor[i] ?? [];
    forward.push(((v[column] ?? 0) - dot(forward, row.slice(0, i))) / (row[i] ?? 1));
  }
  const solution = v.map(() => 0);
  for (let i = kept.length - 1; i >= 0; i--) {
    let rest = forward[i] ?? 0;
    for (let j = i + 1; j < kept.length; j++) {
      rest -= (factor[j]?.[i] ?? 0) * (solution[kept[j] ?? 0] ?? 0);
    }
    solution[kept[i] ?? 0] = rest / (factor[i]?.[i] ?? 1);
  }
  return solution;
}
