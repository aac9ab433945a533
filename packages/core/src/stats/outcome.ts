/**
 * Why numbers are refused, and what is doubtful about them (STATISTICS specification §0.3). Nothing
 * ever returns 0 or 1 as if it had been computed.
 */
export type RefusalCode =
  | 'INVALID_INPUT'
  | 'NO_UNITS'
  | 'INSUFFICIENT_UNITS'
  | 'ZERO_VARIANCE'
  | 'ZERO_BASELINE'
  | 'ZERO_DENOMINATOR'
  | 'UNEXPECTED_ARM';

/** What to say beside numbers that are given all the same. */
export type Flag =
  /** The control mean cannot be told from zero, so the lift has no limits. */
  | 'UNBOUNDED_LIFT'
  /** The control mean is below zero; the lift is relative to its size. */
  | 'NEGATIVE_BASELINE'
  /** A covariate does not vary, so it adjusts nothing. */
  | 'DEGENERATE_COVARIATE'
  /** Covariates that others determine were left out. */
  | 'COLLINEAR_COVARIATES_DROPPED'
  /** The adjustment moved the estimate by more than chance: the treatment touched a covariate. */
  | 'COVARIATE_CONTAMINATION'
  /** The mean denominator of a ratio is not well above zero. */
  | 'WEAK_DENOMINATOR'
  /** Intervals of successive looks share no value: the effect has drifted. */
  | 'INTERSECTION_EMPTY';

/** Numbers, or the reason why there are none. `E` is what is still known then. */
export type Outcome<T, E = unknown> =
  | ({ readonly status: 'ok' } & T)
  | ({ readonly status: RefusalCode } & E);

/** A refusal with nothing else to say. */
export function refuse<const C extends RefusalCode>(code: C): { readonly status: C } {
  return { status: code };
}

/** Whether `alpha` is a usable level, or a power: strictly between 0 and 1. */
export const isLevel = (alpha: number): boolean => alpha > 0 && alpha < 1;

/** Whether a number is finite and above zero. */
export const isPositive = (value: number): boolean => value > 0 && Number.isFinite(value);

/** Whether a number is a count: whole, not negative, exact as a double. */
export const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;
