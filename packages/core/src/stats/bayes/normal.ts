import { normalCdf, normalIsf, normalLoss } from '../distributions/normal.ts';
import { isLevel, isPositive, type Outcome, refuse } from '../outcome.ts';

/** The normal law of an effect beforehand. */
export interface NormalPrior {
  readonly mean: number;
  /** > 0. */
  readonly variance: number;
}

/** The prior on a relative lift to use without past experiments to fit one to: N(0, 0.3²). */
export const LIFT_PRIOR: NormalPrior = { mean: 0, variance: 0.09 };

/** A prior on the lift as one on the absolute effect. @param controlMean not 0 */
export const scalePrior = ({ mean, variance }: NormalPrior, controlMean: number): NormalPrior => ({
  mean: mean * Math.abs(controlMean),
  variance: variance * controlMean * controlMean,
});

/** An effect after the data. */
export interface BayesNormal {
  readonly posteriorMean: number;
  readonly posteriorSd: number;
  readonly lower: number;
  readonly upper: number;
  /** That the treatment is better. */
  readonly chanceToWin: number;
  /** In the units of the effect. */
  readonly expectedLossChooseTreatment: number;
  readonly expectedLossChooseControl: number;
}

/** What a normal posterior is asked. */
export interface BayesNormalOptions {
  /** Null is flat: then the chance to win is one minus the one-sided p-value. */
  readonly prior: NormalPrior | null;
  /** Of the interval; 0.95 when absent. */
  readonly credibility?: number;
  /** Whether less is better. */
  readonly inverse?: boolean;
}

/**
 * An effect (a lift with its delta-method error, or a difference) by a normal posterior. Frequentist
 * errors are not controlled when it is looked at repeatedly. Refuses INVALID_INPUT and, for an
 * error of 0, ZERO_VARIANCE.
 */
export function bayesNormal(
  estimate: number,
  se: number,
  { prior, credibility = 0.95, inverse = false }: BayesNormalOptions,
): Outcome<BayesNormal> {
  const isPrior = prior === null || (Number.isFinite(prior.mean) && isPositive(prior.variance));
  const isValid = Number.isFinite(estimate) && Number.isFinite(se) && se >= 0;
  if (!isValid || !isPrior || !isLevel(credibility)) return refuse('INVALID_INPUT');
  if (se === 0) return refuse('ZERO_VARIANCE');
  const variance = se * se;
  // The weight of the data, in a form that no precision can overflow.
  const weight = prior === null ? 1 : prior.variance / (prior.variance + variance);
  const mean = weight * estimate + (1 - weight) * (prior?.mean ?? 0);
  const sd = se * Math.sqrt(weight);
  const half = normalIsf((1 - credibility) / 2) * sd;
  const k = mean / sd;
  const good = inverse ? -k : k;
  return {
    status: 'ok',
    posteriorMean: mean,
    posteriorSd: sd,
    lower: mean - half,
    upper: mean + half,
    chanceToWin: normalCdf(good),
    expectedLossChooseTreatment: sd * normalLoss(good),
    expectedLossChooseControl: sd * normalLoss(-good),
  };
}
