// What of a variance can only be rounding; p-values of noise would be made of it.

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
