import { normalIsf, normalSf } from '../distributions/normal.ts';
import { findRoot } from '../numeric/root.ts';
import { isLevel, isPositive, type Outcome, refuse } from '../outcome.ts';
import { advance, crossing, WALK_START, type Walk } from './recursion.ts';
import { isSpending, type Spending, spentAlpha } from './spending.ts';

/** A group sequential design's error probability and how it is spent. */
export interface GroupSequentialOptions {
  /** Of all sides together. */
  readonly alpha: number;
  readonly sided: 1 | 2;
  readonly spending: Spending;
}

/** Boundaries, each list with one entry for each look. */
export interface GroupSequentialBoundary {
  /** Spent up to each look, on all sides. */
  readonly cumulativeAlpha: readonly number[];
  /** Reject when |Z|, or Z in a one-sided test, reaches it. Infinity: the look cannot reject. */
  readonly criticalZ: readonly number[];
  /** The p-value that reaches the boundary. */
  readonly nominalP: readonly number[];
  /** Spent up to the last look. */
  readonly totalAlpha: number;
}

/** A look closer to the last one than this adds nothing that could be told from it. */
const STEP_MIN = 1e-5;

/** The critical value that spends `increment` on one side at the next look of the walk. */
function solveCritical(walk: Walk, time: number, isTwoSided: boolean, increment: number): number {
  // Crossing at this look is no likelier than being beyond the boundary at it.
  const high = normalIsf(increment);
  if (high === Number.POSITIVE_INFINITY) return high;
  if (walk.time === 0) return high;
  const step = { time, drift: 0, isTwoSided: false };
  const logIncrement = Math.log(increment);
  // On a log scale, since an increment may be 1e-50.
  const excess = (critical: number): number =>
    Math.log(Math.max(crossing(walk, step, critical).upper, 1e-320)) - logIncrement;
  const low = isTwoSided ? 0 : -8;
  if (excess(low) <= 0) return low;
  if (excess(high) >= 0) return high;
  return findRoot(excess, low, high, 1e-14);
}

/** Boundaries of looks whose spent error is given. @param spent of one side, not falling */
export function boundaries(
  fractions: readonly number[],
  spent: readonly number[],
  sided: 1 | 2,
): readonly number[] {
  const isTwoSided = sided === 2;
  let walk = WALK_START;
  let before = 0;
  return fractions.map((time, k) => {
    if (time - walk.time < STEP_MIN) return Number.POSITIVE_INFINITY;
    const increment = (spent[k] ?? 0) - before;
    const critical =
      increment > 0 ? solveCritical(walk, time, isTwoSided, increment) : Number.POSITIVE_INFINITY;
    before = Math.max(before, spent[k] ?? 0);
    const next = fractions.slice(k + 1).find((later) => later - time >= STEP_MIN);
    if (next !== undefined) {
      walk = advance(walk, { time, drift: 0, isTwoSided }, critical, next);
    }
    return critical;
  });
}

/** Whether options are usable. */
export const isOptions = ({ alpha, sided, spending }: GroupSequentialOptions): boolean =>
  isLevel(alpha) && (sided === 1 || sided === 2) && isSpending(spending);

/**
 * Boundaries of a group sequential test by error spending (Lan & DeMets 1983), computed by the
 * recursion of Armitage, McPherson & Rowe 1969. Refuses INVALID_INPUT.
 *
 * @param fractions information at each look as a share of the planned, rising
 */
export function groupSequentialBoundary(
  fractions: readonly number[],
  options: GroupSequentialOptions,
): Outcome<GroupSequentialBoundary> {
  const { alpha, sided, spending } = options;
  const isRising = fractions.every((t, k) => isPositive(t) && t > (fractions[k - 1] ?? 0));
  if (!isOptions(options) || !isRising || fractions.length === 0) return refuse('INVALID_INPUT');
  const spent = fractions.map((t) => spentAlpha(spending, alpha / sided, t));
  const criticalZ = boundaries(fractions, spent, sided);
  const cumulativeAlpha = spent.map((value) => sided * value);
  return {
    status: 'ok',
    cumulativeAlpha,
    criticalZ,
    nominalP: criticalZ.map((critical) => sided * normalSf(critical)),
    totalAlpha: cumulativeAlpha.at(-1) ?? 0,
  };
}
