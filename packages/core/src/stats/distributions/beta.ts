import { findRoot } from '../numeric/root.ts';
import { isLopsided, logBetaLopsided } from './beta-lopsided.ts';
import { deviance, logBeta, stirlingError } from './gamma.ts';

// The fraction takes a few times √max(a, b) steps, which allows for counts of billions.
const ITERATIONS_MAX = 1_000_000;
const TWO_PI = 6.283185307179586;

/**
 * ln(x^a y^b / B(a, b)), which is the density of Beta(a, b) on the scale of ln(x/y).
 *
 * @param x 0…1
 * @param y 1 − x, given apart, since it may be too small to be seen in x
 */
export function logPowerOverBeta(x: number, y: number, a: number, b: number): number {
  if (a > 10 && b > 10) {
    // Loader's saddle-point form of the binomial density.
    const n = a + b;
    return (
      0.5 * Math.log(((a / n) * b) / TWO_PI) +
      stirlingError(n) -
      stirlingError(a) -
      stirlingError(b) -
      deviance(a, n * x) -
      deviance(b, n * y)
    );
  }
  const logX = y < 0.5 ? Math.log1p(-y) : Math.log(x);
  const logY = x < 0.5 ? Math.log1p(-x) : Math.log(y);
  return a * logX + b * logY - logBeta(a, b);
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
    if (Math.abs(delta - 1) < 3e-16) break;
  }
  return h;
}

/** Both tails of a distribution. */
interface Tails {
  readonly lower: number;
  readonly upper: number;
}

/** ln of the smaller tail, and which one it is. */
function smallerTail(
  x: number,
  y: number,
  a: number,
  b: number,
): { readonly log: number; readonly isLower: boolean } {
  const isLower = x < (a + 1) / (a + b + 2);
  // The fraction cancels where it is taken at the large parameter's side of a lopsided law.
  if (isLower && isLopsided(y, a, b)) return { log: logBetaLopsided(y, a, b), isLower };
  if (!isLower && isLopsided(x, b, a)) return { log: logBetaLopsided(x, b, a), isLower };
  const front = logPowerOverBeta(x, y, a, b);
  return isLower
    ? { log: Math.min(0, front + Math.log(betaFraction(x, a, b) / a)), isLower }
    : { log: Math.min(0, front + Math.log(betaFraction(y, b, a) / b)), isLower };
}

/**
 * The regularised incomplete beta integral I_x(a, b) and its complement, the smaller of which is
 * computed.
 *
 * @param x 0…1
 * @param y 1 − x, given apart because it may be too small to be seen in x
 */
export function incompleteBeta(x: number, y: number, a: number, b: number): Tails {
  if (x <= 0) return { lower: 0, upper: 1 };
  if (y <= 0) return { lower: 1, upper: 0 };
  const { log, isLower } = smallerTail(x, y, a, b);
  const tail = Math.exp(log);
  return isLower ? { lower: tail, upper: 1 - tail } : { lower: 1 - tail, upper: tail };
}

/** The logarithms of both tails, finite where the tails themselves underflow. */
export function logIncompleteBeta(x: number, y: number, a: number, b: number): Tails {
  if (x <= 0) return { lower: Number.NEGATIVE_INFINITY, upper: 0 };
  if (y <= 0) return { lower: 0, upper: Number.NEGATIVE_INFINITY };
  const { log, isLower } = smallerTail(x, y, a, b);
  const other = Math.log1p(-Math.exp(log));
  return isLower ? { lower: log, upper: other } : { lower: other, upper: log };
}

/** P(X ≤ x) of the Beta distribution with a, b > 0. */
export const betaCdf = (x: number, a: number, b: number): number =>
  incompleteBeta(x, 1 - x, a, b).lower;

/** P(X > x). */
export const betaSf = (x: number, a: number, b: number): number =>
  incompleteBeta(x, 1 - x, a, b).upper;

/** ln P(X ≤ x). */
export const betaLogCdf = (x: number, a: number, b: number): number =>
  logIncompleteBeta(x, 1 - x, a, b).lower;

/** ln P(X > x). */
export const betaLogSf = (x: number, a: number, b: number): number =>
  logIncompleteBeta(x, 1 - x, a, b).upper;

/** The x with P(X ≤ x) = p. @param p 0…1 */
export function betaQuantile(p: number, a: number, b: number): number {
  if (p <= 0) return 0;
  if (p >= 1) return 1;
  return p > betaCdf(a / (a + b), a, b) ? upperQuantile(1 - p, a, b) : lowerQuantile(p, a, b);
}

/** The x with P(X > x) = q. @param q 0…1 */
export function betaIsf(q: number, a: number, b: number): number {
  if (q <= 0) return 1;
  if (q >= 1) return 0;
  return q > betaSf(a / (a + b), a, b) ? lowerQuantile(1 - q, a, b) : upperQuantile(q, a, b);
}

/** Below this logarithm of x there is nothing to tell from 0. */
const LOG_MIN = -740;

/** The quantile below the mean, found in the logarithm of x: near 0 there is no other resolution. */
function lowerQuantile(p: number, a: number, b: number): number {
  const logP = Math.log(p);
  const g = (t: number): number => betaLogCdf(Math.exp(t), a, b) - logP;
  const high = Math.log(a / (a + b));
  if (g(LOG_MIN) > 0) return 0;
  // The first step down is of the size of the relative standard deviation.
  let step = Math.min(1, 3 / Math.sqrt(a));
  while (high - step > LOG_MIN && g(high - step) > 0) step *= 2;
  return Math.exp(findRoot(g, Math.max(LOG_MIN, high - step), high));
}

/** The quantile above the mean: where that is near 0, in the logarithm of x as well. */
function upperQuantile(q: number, a: number, b: number): number {
  if (a >= b) return 1 - lowerQuantile(q, b, a);
  const logQ = Math.log(q);
  const g = (t: number): number => betaLogSf(Math.exp(t), a, b) - logQ;
  const low = Math.log(a / (a + b));
  let step = Math.min(1, 3 / Math.sqrt(a));
  while (low + step < 0 && g(low + step) > 0) step *= 2;
  return Math.exp(findRoot(g, low, Math.min(0, low + step)));
}
