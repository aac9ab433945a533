// What of a variance, or of a mean, can only be rounding; p-values and lifts of noise would be made of it.

/** A difference this small against its terms has no digits left. */
const ROUNDING = 1e-12;
/** How far apart, relative to their size, sums of the same numbers in another order may be. */
const ORDER = 1e-14;

/**
 * Whether a variance is nothing but rounding.
 *
 * @param variance ≥ 0, or NaN, which is not
 * @param size of a unit's value
 * @param terms size of what cancelled to leave the variance; 0 when nothing did
 */
export const isRounding = (variance: number, size: number, terms = 0): boolean =>
  variance <= (ORDER * size) ** 2 || variance < ROUNDING * terms;

/**
 * A mean, or 0 where values that cancel have left nothing but rounding. No number of units could tell
 * such a mean from 0, and a lift over it would be any number.
 *
 * @param variance of a unit's value; NaN where there is none
 */
export const withoutResidue = (mean: number, variance: number): number =>
  Math.abs(mean) <= ROUNDING * Math.sqrt(variance) ? 0 : mean;
