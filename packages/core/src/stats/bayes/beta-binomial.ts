import { betaIsf, betaQuantile } from '../distributions/beta.ts';
import { integrateExp } from '../numeric/quadrature.ts';
import { isLevel, type Outcome, refuse } from '../outcome.ts';
import type { Proportion } from '../proportions/wilson.ts';
import {
  type BetaLaw,
  type BetaPrior,
  gridOf,
  isUsable,
  logDensity,
  logTails,
  posterior,
  rateOf,
  sortedUnion,
  UNIFORM_PRIOR,
} from './beta-law.ts';

/** Two rates after the data. */
export interface BetaBinomial {
  readonly probTreatmentBeatsControl: number;
  readonly probControlBeatsTreatment: number;
  /** E[max(p_C − p_T, 0)]: what choosing the treatment is expected to cost. */
  readonly expectedLossChooseTreatment: number;
  /** E[max(p_T − p_C, 0)]. */
  readonly expectedLossChooseControl: number;
  readonly posteriorMeanTreatment: number;
  readonly posteriorMeanControl: number;
  readonly treatmentLower: number;
  readonly treatmentUpper: number;
  readonly controlLower: number;
  readonly controlUpper: number;
}

/** P(winner > loser), precise however small. */
function probBeats(winner: BetaLaw, loser: BetaLaw): number {
  const grid = sortedUnion([gridOf(winner), gridOf(loser)]);
  const logF = (u: number): number => logDensity(winner, u) + logTails(loser, u).lower;
  return Math.min(1, integrateExp(logF, grid));
}

/** E[max(other − chosen, 0)] = ∫ P(chosen ≤ x < other) dx, which does not cancel. */
function expectedLoss(chosen: BetaLaw, other: BetaLaw): number {
  const grid = sortedUnion([gridOf(chosen), gridOf(other)]);
  const logF = (u: number): number => {
    const { x, y } = rateOf(u);
    return logTails(chosen, u).lower + logTails(other, u).upper + Math.log(x) + Math.log(y);
  };
  return integrateExp(logF, grid);
}

/**
 * Two rates by Beta posteriors: chances to be better, expected losses (by quadrature, without chance)
 * and the arms' equal-tailed intervals. Refuses INVALID_INPUT. An arm without units has its prior.
 *
 * @param credibility of the intervals, 0 < credibility < 1
 */
export function betaBinomial(
  treatment: Proportion,
  control: Proportion,
  prior: BetaPrior = UNIFORM_PRIOR,
  credibility = 0.95,
): Outcome<BetaBinomial> {
  if (!isUsable([treatment, control], prior) || !isLevel(credibility)) {
    return refuse('INVALID_INPUT');
  }
  const t = posterior(treatment, prior);
  const c = posterior(control, prior);
  const tail = (1 - credibility) / 2;
  return {
    status: 'ok',
    probTreatmentBeatsControl: probBeats(t, c),
    probControlBeatsTreatment: probBeats(c, t),
    expectedLossChooseTreatment: expectedLoss(t, c),
    expectedLossChooseControl: expectedLoss(c, t),
    posteriorMeanTreatment: t.a / (t.a + t.b),
    posteriorMeanControl: c.a / (c.a + c.b),
    treatmentLower: betaQuantile(tail, t.a, t.b),
    treatmentUpper: betaIsf(tail, t.a, t.b),
    controlLower: betaQuantile(tail, c.a, c.b),
    controlUpper: betaIsf(tail, c.a, c.b),
  };
}
