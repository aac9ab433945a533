import { binomialQuantile } from '../distributions/binomial.ts';
import { isCount, isLevel, type Outcome, refuse } from '../outcome.ts';

/** Counts of rejections that are no news, both ends included. */
export interface AcceptanceBand {
  readonly lowerCount: number;
  readonly upperCount: number;
}

/**
 * How many of a number of simulations may reject when each does with the nominal probability. Refuses
 * INVALID_INPUT.
 *
 * @param nominal probability of a rejection
 * @param falseAlarm probability, at most, to fall outside the band all the same
 */
export function binomialAcceptance(
  simulations: number,
  nominal: number,
  falseAlarm: number,
): Outcome<AcceptanceBand> {
  if (!isCount(simulations) || !isLevel(nominal) || !isLevel(falseAlarm)) {
    return refuse('INVALID_INPUT');
  }
  return {
    status: 'ok',
    lowerCount: binomialQuantile(falseAlarm / 2, simulations, nominal),
    upperCount: binomialQuantile(1 - falseAlarm / 2, simulations, nominal),
  };
}
