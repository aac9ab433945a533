import { type EstimatePair, type Flag, fiellerInterval } from '../stats/index.ts';
import { finite } from './measured.ts';
import type { Comparison } from './types.ts';

/** A relative lift as it is shown. */
interface ShownLift {
  /** ZERO_BASELINE when the control is 0. */
  readonly status: Comparison['status'];
  readonly lift: number | null;
  /** Null where an end is infinite. */
  readonly lower: number | null;
  readonly upper: number | null;
  readonly flags: readonly Flag[];
}

/**
 * The lift with Fieller's interval, which excludes zero exactly when a test of the difference with the
 * same variances and critical value rejects.
 */
export function liftOf(pair: EstimatePair, critical: number): ShownLift {
  if (pair.control === 0) {
    return { status: 'ZERO_BASELINE', lift: null, lower: null, upper: null, flags: [] };
  }
  const { lift, lower, upper, flags } = fiellerInterval(pair, critical);
  return { status: 'ok', lift: finite(lift), lower: finite(lower), upper: finite(upper), flags };
}

/** Both lists as one, each flag once, without a copy where the second has nothing to add. */
export const joined = (a: readonly Flag[], b: readonly Flag[]): readonly Flag[] =>
  b.every((flag) => a.includes(flag)) ? a : [...new Set([...a, ...b])];
