import { integrateExp, logIntegrateExp, multiplesAround } from '../numeric/quadrature.ts';
import { findRoot } from '../numeric/root.ts';
import { stirlingError } from './gamma.ts';
import { normalLogSf } from './normal.ts';

/** ln of the density of w, where e^w = √(χ²/df): the logarithm of a standard deviation's error. */
function logScaleDensity(w: number, df: number): number {
  const shape = df / 2;
  return (
    Math.LN2 +
    0.5 * Math.log(shape / (2 * Math.PI)) -
    stirlingError(shape) +
    df * (w - 0.5 * Math.expm1(2 * w))
  );
}

/** An integrand on the scale of logarithms, and points about its mass. */
interface Integrand {
  readonly logF: (w: number) => number;
  readonly grid: readonly number[];
}

/**
 * P(T > t) as an integral over the law of w: T > t means Z > t·e^w − ncp. Its mass is about w = 0
 * where t is no tail; beyond, about the w at which a small deviation and a large Z share what t
 * asks for, which is the root of a quadratic equation in e^w.
 */
function upperTail(t: number, df: number, ncp: number): Integrand {
  const logF = (w: number): number => logScaleDensity(w, df) + normalLogSf(t * Math.exp(w) - ncp);
  const sd = 1 / Math.sqrt(2 * df);
  const grid = (centre: number) => multiplesAround(centre, Math.max(sd, 1 / df), sd);
  if (t <= ncp || t === 0) return { logF, grid: grid(0) };
  // The equation is divided by t², so that nothing overflows; the form of its root never cancels.
  const r = Math.sqrt(df) / Math.abs(t);
  const c = ncp / t;
  const h = Math.hypot(c, 2 * r * Math.hypot(1, r));
  const scale = c > 0 ? (c + h) / (2 * (1 + r * r)) : 2 * r * (r / (h - c));
  return { logF, grid: grid(Math.log(scale)) };
}

/**
 * P(T > t) of the noncentral t distribution, by quadrature over the law of the standard deviation.
 *
 * @param df degrees of freedom, > 0
 * @param ncp noncentrality
 */
export function nonCentralTSf(t: number, df: number, ncp: number): number {
  const { logF, grid } = upperTail(t, df, ncp);
  return Math.min(1, integrateExp(logF, grid));
}

/** P(T ≤ t) of the noncentral t distribution. */
export const nonCentralTCdf = (t: number, df: number, ncp: number): number =>
  nonCentralTSf(-t, df, -ncp);

/** ln P(T > t), finite where the probability itself underflows. */
export function nonCentralTLogSf(t: number, df: number, ncp: number): number {
  const { logF, grid } = upperTail(t, df, ncp);
  return Math.min(0, logIntegrateExp(logF, grid));
}

/** ln P(T ≤ t), likewise. */
export const nonCentralTLogCdf = (t: number, df: number, ncp: number): number =>
  nonCentralTLogSf(-t, df, -ncp);

/** Of a quantile: what quadrature is good for. */
const TOLERANCE = 1e-13;
/** Quantiles further out are as good as infinite. */
const QUANTILE_MAX = 1e300;

/** The t above the noncentrality with P(T > t) = q. */
function upperQuantile(q: number, df: number, ncp: number): number {
  const logQ = Math.log(q);
  const g = (t: number): number => nonCentralTLogSf(t, df, ncp) - logQ;
  let low = ncp;
  let step = Math.sqrt(1 + (ncp * ncp) / (2 * df));
  while (g(ncp + step) > 0 && step < QUANTILE_MAX) {
    low = ncp + step;
    step *= 2;
  }
  return step < QUANTILE_MAX ? findRoot(g, low, ncp + step, TOLERANCE) : Number.POSITIVE_INFINITY;
}

/** The t with P(T > t) = q. @param q 0…1; the ends give ±Infinity */
export function nonCentralTIsf(q: number, df: number, ncp: number): number {
  if (q <= 0) return Number.POSITIVE_INFINITY;
  if (q >= 1) return Number.NEGATIVE_INFINITY;
  return q <= nonCentralTSf(ncp, df, ncp)
    ? upperQuantile(q, df, ncp)
    : -upperQuantile(1 - q, df, -ncp);
}

/** The t with P(T ≤ t) = p. @param p 0…1; the ends give ±Infinity */
export const nonCentralTQuantile = (p: number, df: number, ncp: number): number =>
  -nonCentralTIsf(p, df, -ncp);
