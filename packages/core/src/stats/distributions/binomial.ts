import { incompleteBeta, logPowerOverBeta } from './beta.ts';

/** P(X ≤ k) of the binomial distribution. @param k may be any integer */
export function binomialCdf(k: number, n: number, p: number): number {
  if (k < 0) return 0;
  if (k >= n) return 1;
  return incompleteBeta(1 - p, p, n - k, k + 1).lower;
}

/** P(X > k) of the binomial distribution. @param k may be any integer */
export function binomialSf(k: number, n: number, p: number): number {
  if (k < 0) return 1;
  if (k >= n) return 0;
  return incompleteBeta(1 - p, p, n - k, k + 1).upper;
}

/** ln P(X = k) of the binomial distribution. */
export function binomialLogPmf(k: number, n: number, p: number): number {
  if (k < 0 || k > n) return Number.NEGATIVE_INFINITY;
  if (k === 0) return n === 0 ? 0 : n * Math.log1p(-p);
  if (k === n) return n * Math.log(p);
  return logPowerOverBeta(p, 1 - p, k, n - k) + Math.log(n / k / (n - k));
}

/** P(X = k) of the binomial distribution. */
export const binomialPmf = (k: number, n: number, p: number): number =>
  Math.exp(binomialLogPmf(k, n, p));

/** The smallest k with P(X ≤ k) ≥ q. @param q 0…1 */
export function binomialQuantile(q: number, n: number, p: number): number {
  // A probability that equals q but for rounding counts as reaching it, as in R's qbinom.
  const wanted = q * (1 - 64 * Number.EPSILON);
  let below = -1;
  let reaching = n;
  while (reaching - below > 1) {
    const middle = Math.floor((below + reaching) / 2);
    if (binomialCdf(middle, n, p) >= wanted) reaching = middle;
    else below = middle;
  }
  return reaching;
}
