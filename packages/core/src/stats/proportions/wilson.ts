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

/** A rate with its interval, all within 0…1. */
export interface RateInterval {
  readonly estimate: number;
  readonly lower: number;
  readonly upper: number;
}

/**
 * The score interval of one proportion (Wilson 1927; Brown, Cai & DasGupta 2001). Refuses
 * INVALID_INPUT and NO_UNITS.
 *
 * @param alpha two-sided, 0 < alpha < 1
 */
export function wilsonInterval(proportion: Proportion, alpha: number): Outcome<RateInterval> {
  const { x, n } = proportion;
  if (!isProportion(proportion) || !isLevel(alpha)) return refuse('INVALID_INPUT');
  if (n === 0) return refuse('NO_UNITS');
  const z = normalIsf(alpha / 2);
  const z2 = z * z;
  const p = x / n;
  const centre = (p + z2 / (2 * n)) / (1 + z2 / n);
  const half = (z / (1 + z2 / n)) * Math.sqrt((p * (1 - p)) / n + z2 / (4 * n * n));
  return {
    status: 'ok',
    estimate: p,
    // Exact at the ends, where rounding would leave a speck.
    lower: x === 0 ? 0 : centre - half,
    upper: x === n ? 1 : centre + half,
  };
}
