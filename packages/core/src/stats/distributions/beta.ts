import { logBeta, logGamma, stirlingCorrection } from './gamma.ts';
import { findRoot } from './root.ts';

const ITERATIONS_MAX = 20_000;
const TWO_PI = 6.283185307179586;

/** x ln(x/m) + m − x, without cancellation near x = m (Loader 2000, `bd0`). */
function deviance(x: number, m: number): number {
  if (Math.abs(x - m) < 0.1 * (x + m)) {
    const v = (x - m) / (x + m);
    let sum = (x - m) * v;
    let term = 2 * x * v;
    for (let k = 1; k < 1000; k++) {
      term *= v * v;
      const next = sum + term / (2 * k + 1);
      if (next === sum) return next;
      sum = next;
    }
    return sum;
  }
  return x * Math.log(x / m) + m - x;
}

/** ln Γ(z + 1) − ((z + ½) ln z − z + ½ ln 2π) (Loader 2000, `stirlerr`). */
function stirlingError(z: number): number {
  if (z >= 15) return stirlingCorrection(z);
  return logGamma(z + 1) - (z + 0.5) * Math.log(z) + z - 0.5 * Math.log(TWO_PI);
}

/** x^a y^b / B(a, b), where y = 1 − x is given apart, since it may be tiny. */
function powerOverBeta(x: number, y: number, a: number, b: number): number {
  if (a > 10 && b > 10) {
    // Loader's saddle-point form of the binomial density.
    const n = a + b;
    const exponent =
      stirlingError(n) -
      stirlingError(a) -
      stirlingError(b) -
      deviance(a, n * x) -
      deviance(b, n * y);
    return Math.exp(exponent) * Math.sqrt((a * b) / (TWO_PI * n));
  }
  const logX = y < 0.5 ? Math.log1p(-y) : Math.log(x);
  const logY = x < 0.5 ? Math.log1p(-x) : Math.log(y);
  return Math.exp(a * logX + b * logY - logBeta(a, b));
}

/** Lentz's method for the continued fraction of the incomplete beta integral. */
function betaFraction(x: number, a: number, b: number): number {
  const tiny = 1e-300;
  let c = 1;
  let d = 1 - ((a + b) * x) / (a + 1);
  d = 1 / (Math.abs(d) < tiny ? tiny : d);
  let h = d;
  for (let m = 1; m < ITERATIONS_MAX; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 + even * d;
    c = 1 + even / c;
    d = 1 / (Math.abs(d) < tiny ? tiny : d);
    if (Math.abs(c) < tiny) c = tiny;
    h *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 + odd * d;
    c = 1 + odd / c;
    d = 1 / (Math.abs(d) < tiny ? tiny : d);
    if (Math.abs(c) < tiny) c = tiny;
    const delta = d * c;
    h *= delta;
    if (Math.abs(delta - 1) < 1e-16) break;
  }
  return h;
}

/**
 * The regularised incomplete beta integral I_x(a, b) and its complement, the smaller of which is
 * computed.
 *
 * @param x 0…1
 * @param y 1 − x, given apart because it may be too small to be seen in x
 */
export function incompleteBeta(
  x: number,
  y: number,
  a: number,
  b: number,
): { readonly lower: number; readonly upper: number } {
  if (x <= 0) return { lower: 0, upper: 1 };
  if (y <= 0) return { lower: 1, upper: 0 };
  const front = powerOverBeta(x, y, a, b);
  if (x < (a + 1) / (a + b + 2)) {
    const lower = (front * betaFraction(x, a, b)) / a;
    return { lower, upper: 1 - lower };
  }
  const upper = (front * betaFraction(y, b, a)) / b;
  return { lower: 1 - upper, upper };
}

/** P(X ≤ x) of the Beta distribution with a, b > 0. */
export const betaCdf = (x: number, a: number, b: number): number =>
  incompleteBeta(x, 1 - x, a, b).lower;

/** P(X > x). */
export const betaSf = (x: number, a: number, b: number): number =>
  incompleteBeta(x, 1 - x, a, b).upper;

/** The x with P(X ≤ x) = p. @param p 0…1 */
export function betaQuantile(p: number, a: number, b: number): number {
  if (p <= 0) return 0;
  if (p >= 1) return 1;
  // In the logarithm of x where x is small: there the interval [0, 1] has no resolution.
  const isLow = p <= betaCdf(a / (a + b), a, b);
  const g = (x: number): number =>
    isLow ? Math.log(betaCdf(x, a, b)) - Math.log(p) : Math.log1p(-p) - Math.log(betaSf(x, a, b));
  if (!isLow) return findRoot(g, a / (a + b), 1 - 2 ** -53);
  let low = Math.log(a / (a + b));
  const high = low;
  do low = low * 2 - 1;
  while (low > -700 && g(Math.exp(low)) > 0);
  return Math.exp(findRoot((t) => g(Math.exp(t)), low, high));
}

/** P(X ≤ k) of the binomial distribution. @param k may be any integer */
export function binomialCdf(k: number, n: number, p: number): number {
  if (k < 0) return 0;
  if (k >= n) return 1;
  return incompleteBeta(1 - p, p, n - k, k + 1).lower;
}

/** P(X = k) of the binomial distribution. */
export function binomialPmf(k: number, n: number, p: number): number {
  if (k < 0 || k > n) return 0;
  if (k === 0) return Math.exp(n * Math.log1p(-p));
  if (k === n) return Math.exp(n * Math.log(p));
  return (powerOverBeta(p, 1 - p, k, n - k) * n) / (k * (n - k));
}
