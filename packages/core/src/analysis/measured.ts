import type { RefusalCode } from '../stats/index.ts';
import { normalIsf } from '../stats/index.ts';
import type { Comparison } from './types.ts';

// What a method says of two arms, before anything is judged by it.

/** The numbers of a comparison. */
export type Measured = Pick<
  Comparison,
  | 'status'
  | 'test'
  | 'difference'
  | 'standardError'
  | 'lower'
  | 'upper'
  | 'lift'
  | 'liftLower'
  | 'liftUpper'
  | 'pValue'
  | 'chanceToWin'
  | 'expectedLoss'
  | 'detectableEffect'
  | 'flags'
  | 'cuped'
>;

/** A number that JSON can hold, or null. */
export const finite = (value: number | null | undefined): number | null =>
  value !== undefined && value !== null && Number.isFinite(value) ? value : null;

/** Smaller ones underflow on the way, and nothing is certain. */
const P_MIN = 1e-300;

/** A p-value as results show it: in (0, 1], never 0; NaN stays. */
export const shownPValue = (p: number): number => Math.min(1, Math.max(P_MIN, p));

/** A shown p-value, or null where there is none. */
export const pValueOf = (p: number): number | null => finite(shownPValue(p));

/**
 * Measured numbers, of which those that were not computed are null. Written out, since spreading
 * objects of so many fields takes longer than the numbers themselves.
 */
export const measured = (numbers: Partial<Measured>): Measured => ({
  status: numbers.status ?? 'ok',
  test: numbers.test ?? null,
  difference: numbers.difference ?? null,
  standardError: numbers.standardError ?? null,
  lower: numbers.lower ?? null,
  upper: numbers.upper ?? null,
  lift: numbers.lift ?? null,
  liftLower: numbers.liftLower ?? null,
  liftUpper: numbers.liftUpper ?? null,
  pValue: numbers.pValue ?? null,
  chanceToWin: numbers.chanceToWin ?? null,
  expectedLoss: numbers.expectedLoss ?? null,
  detectableEffect: numbers.detectableEffect ?? null,
  flags: numbers.flags ?? [],
  cuped: numbers.cuped ?? null,
});

/**
 * A refused comparison with what it still knows (§0.3): arms too small to test have a difference,
 * and constant ones a lift as well.
 */
export function refused(
  status: RefusalCode,
  values?: readonly [treatment: number, control: number],
): Measured {
  const isKnown = status === 'INSUFFICIENT_UNITS' || status === 'ZERO_VARIANCE';
  if (values === undefined || !isKnown) return measured({ status });
  const [treatment, control] = values;
  const difference = treatment - control;
  const lift = status === 'ZERO_VARIANCE' ? difference / Math.abs(control) : null;
  return measured({ status, difference: finite(difference), lift: finite(lift) });
}

const POWER = 0.8;
const Z_POWER = normalIsf(1 - POWER);

/**
 * The effect, relative to the control, that the present precision would find with a power of 80 %.
 *
 * @param critical of the method at this look, in standard errors
 */
export function detectableEffect(critical: number, se: number, control: number): number | null {
  const effect = finite(((critical + Z_POWER) * se) / Math.abs(control));
  return effect !== null && effect > 0 ? effect : null;
}
