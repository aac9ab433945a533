import { normalIsf } from '../distributions/normal.ts';
import { isCount, isLevel, type Outcome, refuse } from '../outcome.ts';
import { crossings } from '../sequential/group-sequential-design.ts';

/** More looks than this would take minutes. */
const LOOKS_MAX = 1000;

/**
 * The chance that at least one of equally spaced looks rejects when each is tested as if it were the
 * only one (Armitage, McPherson & Rowe 1969): the price of peeking. Refuses INVALID_INPUT.
 *
 * @param looks 1…1000
 * @param alpha of each look
 */
export function naivePeeking(
  looks: number,
  alpha: number,
  sided: 1 | 2 = 2,
): Outcome<{ readonly familywiseTypeI: number }> {
  if (!isCount(looks) || looks < 1 || looks > LOOKS_MAX || !isLevel(alpha)) {
    return refuse('INVALID_INPUT');
  }
  const fractions = Array.from({ length: looks }, (_, k) => (k + 1) / looks);
  const critical = normalIsf(alpha / sided);
  const criticals = fractions.map(() => critical);
  const chances = crossings(fractions, criticals, 0, sided === 2);
  return {
    status: 'ok',
    familywiseTypeI: chances.reduce((sum, { upper, lower }) => sum + upper + lower, 0),
  };
}
