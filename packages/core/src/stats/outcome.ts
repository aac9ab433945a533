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

export type Flag = 'UNBOUNDED_LIFT' | 'NEGATIVE_BASELINE';

/** Numbers, or the reason why there are none. `E` is what is still known then. */
export type Outcome<T, E = unknown> =
  | ({ readonly status: 'ok' } & T)
  | ({ readonly status: RefusalCode } & E);

export function refuse<const C extends RefusalCode>(code: C): { readonly status: C } {
  return { status: code };
}

/** Whether `alpha` is a usable two-sided level: strictly between 0 and 1. */
export const isLevel = (alpha: number): boolean => alpha > 0 && alpha < 1;
