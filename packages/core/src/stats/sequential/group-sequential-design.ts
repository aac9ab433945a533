import { normalIsf } from '../distributions/normal.ts';
import { findRoot } from '../numeric/root.ts';
import { isLevel, isPositive, type Outcome, refuse } from '../outcome.ts';
import { type GroupSequentialOptions, groupSequentialBoundary } from './group-sequential.ts';
import { advance, type Crossing, crossing, WALK_START } from './recursion.ts';

/** What looking several times costs, and saves. */
export interface GroupSequentialDesign {
  /** Mean of Z at full information under the effect planned for. */
  readonly drift: number;
  /** Largest sample size over that of one look with the same error and power. */
  readonly inflationFactor: number;
  /** Expected sample size under the effect, over that of one look. */
  readonly expectedSampleSizeRatioH1: number;
  /** Chance to stop at each look under the effect. */
  readonly probStopPerLookH1: readonly number[];
}

/** Chances to cross at each look under a drift. @param fractions rising */
export function crossings(
  fractions: readonly number[],
  criticals: readonly number[],
  drift: number,
  isTwoSided: boolean,
): readonly Crossing[] {
  let walk = WALK_START;
  return fractions.map((time, k) => {
    const critical = criticals[k] ?? Number.POSITIVE_INFINITY;
    const step = { time, drift, isTwoSided };
    const chances = crossing(walk, step, critical);
    const next = fractions[k + 1];
    if (next !== undefined) walk = advance(walk, step, critical, next);
    return chances;
  });
}

/**
 * The sample size that a group sequential test needs, as a multiple of the fixed one (Jennison &
 * Turnbull 2000). Power is that to reject in the right direction. Refuses INVALID_INPUT.
 *
 * @param looks number of equally spaced looks, or their rising information fractions up to 1
 */
export function groupSequentialDesign(
  looks: number | readonly number[],
  options: GroupSequentialOptions & { readonly power: number },
): Outcome<GroupSequentialDesign> {
  const { alpha, sided, power } = options;
  const fractions =
    typeof looks === 'number'
      ? Array.from({ length: Math.min(looks, 10_000) }, (_, k) => (k + 1) / looks)
      : looks;
  const isWhole = typeof looks !== 'number' || (isPositive(looks) && Number.isSafeInteger(looks));
  if (!isWhole || !isLevel(power) || power <= alpha / sided) return refuse('INVALID_INPUT');
  const boundary = groupSequentialBoundary(fractions, options);
  if (boundary.status !== 'ok') return boundary;
  const isTwoSided = sided === 2;
  const at = (drift: number): readonly Crossing[] =>
    crossings(fractions, boundary.criticalZ, drift, isTwoSided);
  const reach = (drift: number): number =>
    at(drift).reduce((sum, { upper }) => sum + upper, 0) - power;
  const fixed = normalIsf(alpha / sided) + normalIsf(1 - power);
  let high = Math.max(fixed, 0.1);
  while (reach(high) < 0) high *= 1.5;
  const drift = findRoot(reach, 0, high, 1e-12);
  const probStopPerLookH1 = at(drift).map(({ upper, lower }) => upper + lower);
  const last = fractions.at(-1) ?? 1;
  const saved = probStopPerLookH1.reduce(
    (sum, chance, k) => sum + chance * (last - (fractions[k] ?? last)),
    0,
  );
  const inflationFactor = (drift / fixed) ** 2;
  return {
    status: 'ok',
    drift,
    inflationFactor,
    expectedSampleSizeRatioH1: inflationFactor * (last - saved),
    probStopPerLookH1,
  };
}
