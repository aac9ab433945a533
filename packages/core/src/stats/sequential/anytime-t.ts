import { isLevel, isPositive, type Outcome, refuse } from '../outcome.ts';

/** One look of the anytime-valid t-test. */
export interface AnytimeT {
  readonly logBayesFactor: number;
  readonly pValue: number;
  /** Half the interval's width in standard errors; Infinity while the data set no limit. */
  readonly radius: number;
}

/** What a regression says of a coefficient at one look. */
export interface TStatistic {
  readonly t: number;
  /** Residual degrees of freedom, > 0. */
  readonly df: number;
  /** Observations, > 0. */
  readonly n: number;
}

/**
 * The t-test, or the test of a regression's coefficient, that may be looked at at any time (Lindon,
 * Ham, Tingley & Bojinov 2022). With normal errors it is exact for any n, which makes it the choice
 * for small samples. Refuses INVALID_INPUT.
 *
 * @param g precision of the mixture, in observations, fixed beforehand
 * @param alpha two-sided
 */
export function anytimeValidT(
  { t, df, n }: TStatistic,
  g: number,
  alpha: number,
): Outcome<AnytimeT> {
  const isValid = Number.isFinite(t) && [df, n, g].every(isPositive) && isLevel(alpha);
  if (!isValid) return refuse('INVALID_INPUT');
  const r = g / (g + n);
  const half = (df + 1) / 2;
  const square = (t * t) / df;
  const logBayesFactor = 0.5 * Math.log(r) + half * (Math.log1p(square) - Math.log1p(r * square));
  const logKappa = Math.log(r * alpha * alpha) / (df + 1);
  const room = Math.exp(logKappa) - r;
  return {
    status: 'ok',
    logBayesFactor,
    pValue: Math.min(1, Math.exp(-logBayesFactor)),
    radius: room > 0 ? Math.sqrt((df * -Math.expm1(logKappa)) / room) : Number.POSITIVE_INFINITY,
  };
}
