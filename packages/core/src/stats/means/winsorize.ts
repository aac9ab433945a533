import { type Moments, momentsFromSums } from '../moments.ts';
import { type Outcome, refuse } from '../outcome.ts';
import { sampleQuantile } from '../quantiles/order-statistics.ts';

/** One cap for all arms, and the moments under it. */
export interface Winsorized {
  /** Null when there is no value to take a percentile of: nothing is replaced then. */
  readonly cap: number | null;
  /** In the order of the arms. */
  readonly arms: readonly Moments[];
}

/** Moments of raw values, about their first one for the sake of precision. */
function momentsOf(values: readonly number[]): Moments {
  const shift = values[0] ?? 0;
  const deviations = values.map((value) => value - shift);
  const sum = deviations.reduce((total, value) => total + value, 0);
  const squares = deviations.reduce((total, value) => total + value * value, 0);
  return momentsFromSums(values.length, sum, squares, shift);
}

/**
 * Replaces values above a percentile by it. The percentile is taken over all arms together: a cap
 * per arm would bias the comparison. The result estimates the capped mean. Refuses INVALID_INPUT
 * and, without any value, NO_UNITS.
 *
 * @param arms per-unit totals of each arm, of the whole analysis and not of a segment
 * @param percentile 0 < percentile ≤ 1
 * @param ignoreZeros whether the percentile is one of the values other than zero
 */
export function winsorizeUpper(
  arms: readonly (readonly number[])[],
  percentile: number,
  ignoreZeros = false,
): Outcome<Winsorized> {
  const pooled = arms.flat();
  const isValid = percentile > 0 && percentile <= 1 && pooled.every((v) => Number.isFinite(v));
  if (!isValid) return refuse('INVALID_INPUT');
  if (pooled.length === 0) return refuse('NO_UNITS');
  const counted = ignoreZeros ? pooled.filter((value) => value !== 0) : pooled;
  const cap = sampleQuantile(
    counted.sort((a, b) => a - b),
    percentile,
  );
  return { status: 'ok', cap, arms: capAt(arms, cap) };
}

/** Moments of each arm with values above a fixed cap replaced by it; null replaces none. */
export function capAt(
  arms: readonly (readonly number[])[],
  cap: number | null,
): readonly Moments[] {
  const limit = cap ?? Number.POSITIVE_INFINITY;
  return arms.map((values) => momentsOf(values.map((value) => Math.min(value, limit))));
}
