import {
  type BayesNormal,
  bayesNormal,
  type Flag,
  fiellerInterval,
  LIFT_PRIOR,
  normalIsf,
  type Outcome,
  robustStandardError,
} from '../stats/index.ts';
import type { Pair } from './adjust.ts';
import { joined } from './lift.ts';
import { detectableEffect, finite, type Measured, measured, refused } from './measured.ts';
import type { Direction } from './types.ts';

// The chances of what the effect may be, given the data and a prior. They may be looked at any time
// and stay calibrated if the prior is right; how often a true null is called significant is NOT
// controlled when one looks repeatedly (Deng, Lu & Chen 2016).

/** What the effect is after the data. */
export interface EffectPosterior {
  readonly posterior: BayesNormal;
  /** Whether the posterior is on the lift; else it is on the difference. */
  readonly isLift: boolean;
  /** Welch's, of the difference. */
  readonly standardError: number;
  /** Standard errors of the estimate from zero at which the interval leaves it, were it at its middle. */
  readonly critical: number;
  readonly flags: readonly Flag[];
}

/**
 * Normal posterior of the relative lift with its delta-method error and the prior N(0, 0.3²); of the
 * difference with a flat prior where the control cannot be told from zero, since then a lift has no
 * scale. Refuses as `robustStandardError` and `bayesNormal` do.
 *
 * @param alpha the interval holds the effect with a chance of 1 − alpha
 */
export function effectPosterior(
  { treatment, control }: Pair,
  alpha: number,
  direction: Direction,
): Outcome<EffectPosterior> {
  const error = robustStandardError(treatment, control);
  if (error.status !== 'ok') return error;
  const { welchSe } = error;
  const [vT, vC] = [treatment.variance / treatment.n, control.variance / control.n];
  const difference = treatment.mean - control.mean;
  const pair = {
    treatment: treatment.mean,
    control: control.mean,
    varianceTreatment: vT,
    varianceControl: vC,
  };
  const z = normalIsf(alpha / 2);
  const isZero = control.mean === 0;
  const fieller = isZero ? null : fiellerInterval(pair, z);
  const isLift = fieller !== null && fieller.g < 1;
  const size = Math.abs(control.mean);
  const ratio = treatment.mean / control.mean;
  const delta = Math.sqrt(vT + ratio * ratio * vC) / size;
  // A treatment without a single success has no error of its own; the difference still has one.
  const se = isLift ? (delta > 0 ? delta : welchSe / size) : welchSe;
  const posterior = bayesNormal(isLift ? difference / size : difference, se, {
    prior: isLift ? LIFT_PRIOR : null,
    credibility: 1 - alpha,
    inverse: direction === 'decrease',
  });
  if (posterior.status !== 'ok') return posterior;
  return {
    status: 'ok',
    posterior,
    isLift,
    standardError: welchSe,
    critical: (z * se) / posterior.posteriorSd,
    flags: fieller?.flags ?? [],
  };
}

/**
 * Two samples by their posterior. The estimates are those of the data, the intervals are credible
 * ones, which the prior draws towards no effect: of few users an estimate may lie beside its interval.
 */
export function compareBayesian(pair: Pair, alpha: number, direction: Direction): Measured {
  const { treatment, control } = pair;
  const outcome = effectPosterior(pair, alpha, direction);
  if (outcome.status !== 'ok') return refused(outcome.status, [treatment.mean, control.mean]);
  const { posterior, isLift, standardError, critical, flags } = outcome;
  const difference = treatment.mean - control.mean;
  const size = Math.abs(control.mean);
  const scale = isLift ? size : 1;
  return measured({
    status: size === 0 ? 'ZERO_BASELINE' : 'ok',
    test: 'bayes_normal',
    difference: finite(difference),
    standardError: finite(standardError),
    lower: finite(posterior.lower * scale),
    upper: finite(posterior.upper * scale),
    lift: finite(difference / size),
    liftLower: isLift ? finite(posterior.lower) : null,
    liftUpper: isLift ? finite(posterior.upper) : null,
    chanceToWin: finite(posterior.chanceToWin),
    expectedLoss: finite(posterior.expectedLossChooseTreatment),
    detectableEffect: detectableEffect(critical, standardError, control.mean),
    flags: joined(pair.flags, flags),
    cuped: pair.cuped,
  });
}
