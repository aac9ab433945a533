/**
 * The two-sided error of a confidence level in percent: the decimal that is meant, since 1 − 0.95 in
 * binary fractions is not 0.05.
 */
export const alphaOf = (confidenceLevel: number): number =>
  Number(((100 - confidenceLevel) / 100).toFixed(12));
