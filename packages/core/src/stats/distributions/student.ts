import { incompleteBeta } from './beta.ts';
import { normalIsf } from './normal.ts';
import { findRoot } from './root.ts';

/**
 * P(T > t) of Student's t distribution.
 *
 * @param df degrees of freedom, > 0, may be fractional
 */
export function tSf(t: number, df: number): number {
  const square = t * t;
  // The two parts of the integral's argument apart: for large df the second would vanish in 1 − x.
  const tail = 0.5 * incompleteBeta(df / (df + square), square / (df + square), df / 2, 0.5).lower;
  return t >= 0 ? tail : 1 - tail;
}

export const tCdf = (t: number, df: number): number => tSf(-t, df);

/** The t with P(T > t) = q. @param q 0…1; the ends give ±Infinity */
export function tIsf(q: number, df: number): number {
  if (q <= 0) return Number.POSITIVE_INFINITY;
  if (q >= 1) return Number.NEGATIVE_INFINITY;
  if (q === 0.5) return 0;
  if (q > 0.5) return -tIsf(1 - q, df);
  const g = (t: number): number => Math.log(tSf(t, df)) - Math.log(q);
  // The normal quantile is below the answer, since t has the heavier tails.
  const low = normalIsf(q) * 0.999;
  let high = Math.max(1, low * 2);
  while (g(high) > 0 && high < 1e300) high *= 2;
  return findRoot(g, low, high);
}

/** The t with P(T ≤ t) = p. @param p 0…1 */
export const tQuantile = (p: number, df: number): number => -tIsf(p, df);
