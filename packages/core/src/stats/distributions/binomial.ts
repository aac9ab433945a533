import { incompleteBeta, logIncompleteBeta, logPowerOverBeta } from './beta.ts';

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

/** ln P(X ≤ k), finite where the probability itself underflows. @param k may be any integer */
export function binomialLogCdf(k: number, n: number, p: number): number {
  if (k < 0) return Number.NEGATIVE_INFINITY;
  if (k >= n) return 0;
  return logIncompleteBeta(1 - p, p, n - k, k + 1).lower;
}

/** ln P(X > k), likewise. @param k may be any integer */
export function binomialLogSf(k: number, n: number, p: number): number {
  if (k < 0) return 0;
  if (k >= n) return Number.NEGATIVE_INFINITY;
  return logIncompleteBeta(1 - p, p, n - k, k + 1).upper;
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

/** A probability that equals another but for rounding counts as reaching it, as in R's qbinom. */
const ROUNDING = 64 * Number.EPSILON;

/** The first k of 0…n for which something holds that holds of n, and of all that follow the first. */
function firstOf(n: number, holds: (k: number) => boolean): number {
  let below = -1;
  let reaching = n;
  while (reaching - below > 1) {
    const middle = Math.floor((below + reaching) / 2);
    if (holds(middle)) reaching = middle;
    else below = middle;
  }
  return reaching;
}

/** The smallest k with P(X ≤ k) ≥ q. @param q 0…1 */
export function binomialQuantile(q: number, n: number, p: number): number {
  const wanted = q * (1 - ROUNDING);
  return firstOf(n, (k) => binomialCdf(k, n, p) >= wanted);
}

/** The smallest k with P(X > k) ≤ q. @param q 0…1 */
export function binomialIsf(q: number, n: number, p: number): number {
  const allowed = q * (1 + ROUNDING);
  return firstOf(n, (k) => binomialSf(k, n, p) <= allowed);
}
