import { betaIsf, betaQuantile } from '../distributions/beta.ts';
import { isLevel, type Outcome, refuse } from '../outcome.ts';
import { isProportion, type Proportion, type RateInterval } from './wilson.ts';

/**
 * The exact interval of one proportion (Clopper & Pearson 1934): it never covers too rarely, at the
 * price of covering too often. Refuses INVALID_INPUT and NO_UNITS.
 *
 * @param alpha two-sided, 0 < alpha < 1
 */
export function clopperPearsonInterval(
  proportion: Proportion,
  alpha: number,
): Outcome<RateInterval> {
  const { x, n } = proportion;
  if (!isProportion(proportion) || !isLevel(alpha)) return refuse('INVALID_INPUT');
  if (n === 0) return refuse('NO_UNITS');
  return {
    status: 'ok',
    estimate: x / n,
    lower: x === 0 ? 0 : betaQuantile(alpha / 2, x, n - x + 1),
    upper: x === n ? 1 : betaIsf(alpha / 2, x + 1, n - x),
  };
}
