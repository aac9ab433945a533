import { findRoot } from '../numeric/root.ts';
import { incompleteGamma, logIncompleteGamma } from './gamma.ts';

/** P(X ≤ x) of the χ² distribution. @param df degrees of freedom, > 0 */
export const chiSquareCdf = (x: number, df: number): number => incompleteGamma(df / 2, x / 2).p;

/** P(X > x) of the χ² distribution. @param df degrees of freedom, > 0 */
export const chiSquareSf = (x: number, df: number): number => incompleteGamma(df / 2, x / 2).q;

/** ln P(X ≤ x), finite where the probability itself underflows. */
export const chiSquareLogCdf = (x: number, df: number): number =>
  logIncompleteGamma(df / 2, x / 2).p;

/** ln P(X > x), likewise. */
export const chiSquareLogSf = (x: number, df: number): number =>
  logIncompleteGamma(df / 2, x / 2).q;

/** Below this logarithm of x there is nothing to tell from 0. */
const LOG_MIN = -740;

/** The x with P(X ≤ x) = p. @param p 0…1; the ends give 0 and Infinity */
export function chiSquareQuantile(p: number, df: number): number {
  if (p <= 0) return 0;
  if (p >= 1) return Number.POSITIVE_INFINITY;
  if (p > chiSquareCdf(df, df)) return chiSquareIsf(1 - p, df);
  // In the logarithm of x: for few degrees of freedom a small p means a tiny x.
  const g = (t: number): number => chiSquareLogCdf(Math.exp(t), df) - Math.log(p);
  const high = Math.log(df);
  let low = high - 1;
  while (low > LOG_MIN && g(low) > 0) low = Math.max(LOG_MIN, low * 2 - high - 1);
  if (g(low) > 0) return 0;
  return Math.exp(findRoot(g, low, high));
}

/** The x with P(X > x) = q. @param q 0…1; the ends give Infinity and 0 */
export function chiSquareIsf(q: number, df: number): number {
  if (q <= 0) return Number.POSITIVE_INFINITY;
  if (q >= 1) return 0;
  if (q > chiSquareSf(df, df)) return chiSquareQuantile(1 - q, df);
  const g = (x: number): number => chiSquareLogSf(x, df) - Math.log(q);
  let high = 2 * df + 10;
  while (g(high) > 0) high *= 2;
  return findRoot(g, df, high);
}
