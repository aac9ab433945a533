import { isSample, type Sample } from '../means/welch.ts';
import { type Outcome, refuse } from '../outcome.ts';

/** Standard errors of a difference of means. */
export interface RobustError {
  readonly welchSe: number;
  /** With one variance for both arms. */
  readonly pooledSe: number;
  /** The larger one: what sequential methods take. */
  readonly se: number;
}

/**
 * The standard error for sequential methods. A small arm of rare or skewed values underestimates its
 * own variance at first, by which repeated looks would find effects that are not there; the pooled
 * variance does not (specification §4.2). Refuses INVALID_INPUT, NO_UNITS, INSUFFICIENT_UNITS and
 * ZERO_VARIANCE.
 */
export function robustStandardError(treatment: Sample, control: Sample): Outcome<RobustError> {
  if (!isSample(treatment) || !isSample(control)) return refuse('INVALID_INPUT');
  const { n: nT, variance: varT } = treatment;
  const { n: nC, variance: varC } = control;
  if (nT === 0 || nC === 0) return refuse('NO_UNITS');
  if (nT < 2 || nC < 2) return refuse('INSUFFICIENT_UNITS');
  const welchSe = Math.sqrt(varT / nT + varC / nC);
  const pooled = ((nT - 1) * varT + (nC - 1) * varC) / (nT + nC - 2);
  const pooledSe = Math.sqrt(pooled * (1 / nT + 1 / nC));
  const se = Math.max(welchSe, pooledSe);
  return se === 0 ? refuse('ZERO_VARIANCE') : { status: 'ok', welchSe, pooledSe, se };
}

/** What an arm has so far. */
export interface ArmProgress {
  readonly n: number;
  /** Successes of a binary metric; absent for other metrics. */
  readonly x?: number;
}

/** Units of an arm below which a verdict is withheld. */
export const UNITS_MIN = 100;
/** Units with success, and without, of an arm below which a verdict on a rate is withheld. */
export const OUTCOMES_MIN = 10;

/**
 * Whether a sequential verdict on this arm may be shown: it has 100 units and, for a binary metric, ten
 * with and ten without success. Before, the estimates are not yet nearly normal (§4.2). A comparison
 * takes two such arms.
 */
export const isArmReleasable = ({ n, x }: ArmProgress): boolean =>
  n >= UNITS_MIN && (x === undefined || (x >= OUTCOMES_MIN && n - x >= OUTCOMES_MIN));
