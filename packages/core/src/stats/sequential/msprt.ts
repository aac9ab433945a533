import { isLevel, isPositive, type Outcome, refuse } from '../outcome.ts';

/** One look of a mixture sequential probability ratio test. */
export interface Msprt {
  readonly logLikelihoodRatio: number;
  /** Of this look; valid at any time, as is its minimum over looks. */
  readonly pValue: number;
  readonly halfWidth: number;
  readonly lower: number;
  readonly upper: number;
}

/**
 * The mixture sequential probability ratio test with a normal mixture of fixed variance (Johari,
 * Pekelis & Walsh 2015; Johari, Koomen, Pekelis & Walsh 2022). Refuses INVALID_INPUT and
 * ZERO_VARIANCE.
 *
 * @param se standard error of the estimate
 * @param tauSquared variance of the mixture, in squared units of the metric, fixed beforehand
 * @param alpha two-sided
 */
export function msprt(
  estimate: number,
  se: number,
  tauSquared: number,
  alpha: number,
): Outcome<Msprt> {
  const isValid = Number.isFinite(estimate) && Number.isFinite(se) && se >= 0;
  if (!isValid || !isPositive(tauSquared) || !isLevel(alpha)) return refuse('INVALID_INPUT');
  if (se === 0) return refuse('ZERO_VARIANCE');
  const variance = se * se;
  const total = variance + tauSquared;
  const logShrinkage = -Math.log1p(tauSquared / variance);
  const z = estimate / se;
  const logLikelihoodRatio = 0.5 * (logShrinkage + z * z * (tauSquared / total));
  const halfWidth = se * Math.sqrt((total / tauSquared) * (-2 * Math.log(alpha) - logShrinkage));
  return {
    status: 'ok',
    logLikelihoodRatio,
    pValue: Math.min(1, Math.exp(-logLikelihoodRatio)),
    halfWidth,
    lower: estimate - halfWidth,
    upper: estimate + halfWidth,
  };
}
