import { betaQuantile, incompleteBeta } from '../distributions/beta.ts';
import { isCount, isLevel, isPositive, type Outcome, refuse } from '../outcome.ts';

/** Events over an exposure (time, traffic) that is known without error. */
export interface EventCount {
  readonly events: number;
  readonly exposure: number;
}

/** Comparison of two event rates. */
export interface RateRatio {
  /** Treatment over control; null when the control has no event. */
  readonly rateRatio: number | null;
  /** Two-sided: twice the smaller tail. */
  readonly pValue: number;
  readonly pValueGreater: number;
  readonly pValueLess: number;
  readonly ratioLower: number;
  /** Infinity when the control has no event. */
  readonly ratioUpper: number;
}

/**
 * Exact comparison of two Poisson rates: given all events, the treatment's are binomial with its
 * share of the exposure (Przyborowski & Wilenski 1940), the interval by Clopper & Pearson. Only for
 * counts without unit ids; with them, per-unit means are tested, which need no Poisson law. Refuses
 * INVALID_INPUT.
 *
 * @param alpha two-sided, 0 < alpha < 1
 */
export function poissonRateRatio(
  treatment: EventCount,
  control: EventCount,
  alpha: number,
): Outcome<RateRatio> {
  const isValid = [treatment, control].every(
    ({ events, exposure }) => isCount(events) && isPositive(exposure),
  );
  if (!isValid || !isLevel(alpha)) return refuse('INVALID_INPUT');
  const { events: xT, exposure: eT } = treatment;
  const { events: xC, exposure: eC } = control;
  // Both shares of the exposure, of which the smaller would lose its digits in 1 less the other.
  const [shareT, shareC] = [eT / (eT + eC), eC / (eT + eC)];
  const pValueGreater = xT === 0 ? 1 : incompleteBeta(shareT, shareC, xT, xC + 1).lower;
  const pValueLess = xC === 0 ? 1 : incompleteBeta(shareC, shareT, xC, xT + 1).lower;
  // A limit as the odds of a share, the smaller side of which is the quantile that is computed.
  const odds = (events: number, others: number): number => {
    const quantile = betaQuantile(alpha / 2, events, others + 1);
    return quantile / (1 - quantile);
  };
  return {
    status: 'ok',
    rateRatio: xC === 0 ? null : xT / eT / (xC / eC),
    pValue: Math.min(1, 2 * Math.min(pValueGreater, pValueLess)),
    pValueGreater,
    pValueLess,
    ratioLower: xT === 0 ? 0 : odds(xT, xC) * (eC / eT),
    ratioUpper: xC === 0 ? Number.POSITIVE_INFINITY : eC / eT / odds(xC, xT),
  };
}
