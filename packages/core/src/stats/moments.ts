// Sufficient statistics of a mean: what the stores return, and what two parts add up to.

/** Count, mean and sum of squared deviations of one value per unit. */
export interface Moments {
  readonly n: number;
  readonly mean: number;
  /** Σ(x − mean)². */
  readonly m2: number;
}

/** Moments from sums of x − c. Any c near the mean keeps the digits that squaring would lose. */
export function momentsFromSums(n: number, sum: number, sumSquares: number, shift = 0): Moments {
  if (n === 0) return Object.freeze({ n: 0, mean: Number.NaN, m2: 0 });
  // Rounding can leave a variance a little below zero, which it cannot be.
  const m2 = Math.max(0, sumSquares - (sum * sum) / n);
  return Object.freeze({ n, mean: shift + sum / n, m2 });
}

/** The moments of both parts together (Chan, Golub & LeVeque 1983). */
export function mergeMoments(a: Moments, b: Moments): Moments {
  if (a.n === 0) return b;
  if (b.n === 0) return a;
  const n = a.n + b.n;
  const delta = b.mean - a.mean;
  return Object.freeze({
    n,
    mean: a.mean + (delta * b.n) / n,
    m2: a.m2 + b.m2 + (delta * delta * a.n * b.n) / n,
  });
}

/** Sample variance (ddof 1); NaN below two units. */
export const varianceOf = ({ n, m2 }: Moments): number => (n < 2 ? Number.NaN : m2 / (n - 1));
