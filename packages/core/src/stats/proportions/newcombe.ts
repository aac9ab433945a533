import type { Outcome } from '../outcome.ts';
import { byRarerOutcome, type Proportion, wilsonInterval } from './wilson.ts';

/** A difference of rates, treatment minus control, with its interval. */
export interface RateDifferenceInterval {
  readonly diff: number;
  readonly lower: number;
  readonly upper: number;
}

/**
 * Interval of the difference of two proportions from their Wilson intervals (Newcombe 1998, method
 * 10): closed, and never outside −1…1. Refuses INVALID_INPUT and NO_UNITS.
 *
 * @param alpha two-sided, 0 < alpha < 1
 */
export function newcombeDifference(
  treatment: Proportion,
  control: Proportion,
  alpha: number,
): Outcome<RateDifferenceInterval> {
  const [first, second] = byRarerOutcome(treatment, control);
  const t = wilsonInterval(first, alpha);
  if (t.status !== 'ok') return t;
  const c = wilsonInterval(second, alpha);
  if (c.status !== 'ok') return c;
  const diff = t.estimate - c.estimate;
  return {
    status: 'ok',
    diff,
    lower: diff - Math.hypot(t.estimate - t.lower, c.upper - c.estimate),
    upper: diff + Math.hypot(t.upper - t.estimate, c.estimate - c.lower),
  };
}
