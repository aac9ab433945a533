import { normalIsf } from '../distributions/normal.ts';
import { isLevel, type Outcome, refuse } from '../outcome.ts';

/** A number of successes out of a number of units, both whole. */
export interface Proportion {
  readonly x: number;
  readonly n: number;
}

/** Whether counts are whole and 0 ≤ x ≤ n. */
export const isProportion = ({ x, n }: Proportion): boolean =>
  Number.isSafeInteger(x) && Number.isSafeInteger(n) && x >= 0 && x <= n;

/** The units without success. */
const failuresOf = ({ x, n }: Proportion): Proportion => ({ x: n - x, n });

/** Whether most units of both arms succeeded. */
export const areMostlySuccesses = (a: Proportion, b: Proportion): boolean =>
  a.x > a.n / 2 && b.x > b.n / 2;

/**
 * Two arms whose difference of rates is the one wanted, by the rarer outcome: where most units
 * succeeded, the failures with the arms swapped. Rates near 1 have lost the digits that tell them
 * apart, those of failures have not.
 */
export const byRarerOutcome = (
  treatment: Proportion,
  control: Proportion,
): readonly [treatment: Proportion, control: Proportion] =>
  areMostlySuccesses(treatment, control)
    ? [failuresOf(control), failuresOf(treatment)]
    : [treatment, control];

/** Treatment minus control. */
export function rateDifference(treatment: Proportion, control: Proportion): number {
  const [t, c] = byRarerOutcome(treatment, control);
  return t.x / t.n - c.x / c.n;
}

/** A rate with its interval, all within 0…1. */
export interface RateInterval {
  readonly estimate: number;
  readonly lower: number;
  readonly upper: number;
}

/**
 * The rates that are at most `critical` of their own standard errors from the observed one. A rate's
 * error is known from itself, so that no success at all has an interval too.
 *
 * @param proportion with at least one unit
 * @param critical ≥ 0: the normal quantile for one look, that of a boundary for many
 */
export function wilsonLimits({ x, n }: Proportion, critical: number): RateInterval {
  const square = critical * critical;
  const p = x / n;
  const centre = (p + square / (2 * n)) / (1 + square / n);
  const half = (critical / (1 + square / n)) * Math.sqrt((p * (1 - p)) / n + square / (4 * n * n));
  return {
    estimate: p,
    // Exact at the ends, where rounding would leave a speck.
    lower: x === 0 ? 0 : centre - half,
    upper: x === n ? 1 : centre + half,
  };
}

/**
 * The score interval of one proportion (Wilson 1927; Brown, Cai & DasGupta 2001). Refuses
 * INVALID_INPUT and NO_UNITS.
 *
 * @param alpha two-sided, 0 < alpha < 1
 */
export function wilsonInterval(proportion: Proportion, alpha: number): Outcome<RateInterval> {
  if (!isProportion(proportion) || !isLevel(alpha)) return refuse('INVALID_INPUT');
  if (proportion.n === 0) return refuse('NO_UNITS');
  return { status: 'ok', ...wilsonLimits(proportion, normalIsf(alpha / 2)) };
}
