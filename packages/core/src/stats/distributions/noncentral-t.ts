import { integrateExp, multiplesAround } from '../numeric/quadrature.ts';
import { stirlingError } from './gamma.ts';
import { normalLogCdf, normalLogSf } from './normal.ts';

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

function integrateTail(logTail: (x: number) => number, t: number, df: number, ncp: number): number {
  // T > t means Z > t·e^w − ncp, which is averaged over the law of w.
  const logF = (w: number): number => logScaleDensity(w, df) + logTail(t * Math.exp(w) - ncp);
  const sd = 1 / Math.sqrt(2 * df);
  return Math.min(1, integrateExp(logF, multiplesAround(0, Math.max(sd, 1 / df), sd)));
}

/**
 * P(T > t) of the noncentral t distribution, by quadrature over the law of the standard deviation.
 *
 * @param df degrees of freedom, > 0
 * @param ncp noncentrality
 */
export const nonCentralTSf = (t: number, df: number, ncp: number): number =>
  integrateTail(normalLogSf, t, df, ncp);

/** P(T ≤ t) of the noncentral t distribution. */
export const nonCentralTCdf = (t: number, df: number, ncp: number): number =>
  integrateTail(normalLogCdf, t, df, ncp);
