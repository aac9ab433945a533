import { findRoot } from '../numeric/root.ts';
import { incompleteBeta, logIncompleteBeta } from './beta.ts';
import { logGamma } from './gamma.ts';
import { normalIsf, normalLogSf, normalSf } from './normal.ts';

/**
 * P(T > t) of Student's t distribution.
 *
 * @param df degrees of freedom, > 0, may be fractional; Infinity gives the normal distribution
 */
export function tSf(t: number, df: number): number {
  if (df === Number.POSITIVE_INFINITY) return normalSf(t);
  const square = t * t;
  if (square === Number.POSITIVE_INFINITY) return t > 0 ? 0 : 1;
  // The two parts of the integral's argument apart: for large df the second would vanish in 1 − x.
  const tail = 0.5 * incompleteBeta(df / (df + square), square / (df + square), df / 2, 0.5).lower;
  return t >= 0 ? tail : 1 - tail;
}

/** P(T ≤ t). */
export const tCdf = (t: number, df: number): number => tSf(-t, df);

/** ln P(T > t), finite where the probability itself underflows. */
export function tLogSf(t: number, df: number): number {
  if (df === Number.POSITIVE_INFINITY) return normalLogSf(t);
  if (t < 0) return Math.log1p(-tSf(-t, df));
  const square = t * t;
  const { lower } = logIncompleteBeta(df / (df + square), square / (df + square), df / 2, 0.5);
  return lower - Math.LN2;
}

/** ln P(T ≤ t). */
export const tLogCdf = (t: number, df: number): number => tLogSf(-t, df);

/**
 * The first terms of the expansion of t about the normal quantile z in powers of 1/df (Abramowitz &
 * Stegun 26.7.5), highest power of z first: each is z times a polynomial in z², over a divisor.
 */
const EXPANSION = [
  { over: 4, powers: [1, 1] },
  { over: 96, powers: [5, 16, 3] },
  { over: 384, powers: [3, 19, 17, -15] },
  { over: 92_160, powers: [79, 776, 1482, -1920, -945] },
] as const;

/** The expansion about z, and whether what it leaves out vanishes. */
function expansion(z: number, df: number): { readonly t: number; readonly isExact: boolean } {
  const square = z * z;
  let t = z;
  let term = z;
  let power = 1;
  for (const { over, powers } of EXPANSION) {
    power /= df;
    term = ((z * powers.reduce<number>((value, next) => value * square + next, 0)) / over) * power;
    t += term;
  }
  // The next term is smaller than the last one by about this factor.
  return { t, isExact: Math.abs(term) * ((4 + square) / df) < 1e-17 * z };
}

/**
 * Newton's method on ln P(T > t) from a start that is near, which two or three steps bring to full
 * precision; null where it does not.
 */
function newtonIsf(logQ: number, start: number, df: number): number | null {
  const half = df / 2;
  const logScale = logGamma(half + 0.5) - logGamma(half) - 0.5 * Math.log(df * Math.PI);
  let t = start;
  for (let i = 0; i < 8; i++) {
    const logSf = tLogSf(t, df);
    const hazard = Math.exp(logScale - (half + 0.5) * Math.log1p((t * t) / df) - logSf);
    const step = (logSf - logQ) / hazard;
    t += step;
    // The error of the next step is of the order of this one's square.
    if (Math.abs(step) < 1e-9 * t) return t;
  }
  return null;
}

/** The t with P(T > t) = q. @param q 0…1; the ends give ±Infinity */
export function tIsf(q: number, df: number): number {
  if (q <= 0) return Number.POSITIVE_INFINITY;
  if (q >= 1) return Number.NEGATIVE_INFINITY;
  if (q === 0.5) return 0;
  if (df === Number.POSITIVE_INFINITY) return normalIsf(q);
  if (q > 0.5) return -tIsf(1 - q, df);
  const logQ = Math.log(q);
  const z = normalIsf(q);
  const { t: expanded, isExact } = expansion(z, df);
  if (isExact) return expanded;
  // Elsewhere the expansion is no good start.
  const near = df >= 8 && z * z <= df ? newtonIsf(logQ, expanded, df) : null;
  if (near !== null) return near;
  const g = (t: number): number => tLogSf(t, df) - logQ;
  // The normal quantile is below the answer, since t has the heavier tails.
  const low = z * 0.999;
  let high = Math.max(1e-8, low * 1.01);
  while (g(high) > 0 && high < 1e150) high *= 2;
  const excess = g(high);
  // So far out the tail is a power of t exactly.
  if (excess > 0) return high * Math.exp(excess / df);
  return findRoot(g, low, high);
}

/** The t with P(T ≤ t) = p. @param p 0…1 */
export const tQuantile = (p: number, df: number): number => -tIsf(p, df);
