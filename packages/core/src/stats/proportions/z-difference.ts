import { normalIsf, normalSf } from '../distributions/normal.ts';
import { isLevel, type Outcome, refuse } from '../outcome.ts';
import { byRarerOutcome, isProportion, type Proportion } from './wilson.ts';

/** The two-proportion z-test. */
export interface ZDifference {
  /** Treatment minus control. */
  readonly diff: number;
  readonly zPooled: number;
  /** Two-sided. */
  readonly pValue: number;
  /** One-sided: treatment above control. */
  readonly pValueGreater: number;
  /** One-sided: treatment below control. */
  readonly pValueLess: number;
  /** Wald's interval, which need not agree with the test; for exports only. */
  readonly waldLower: number;
  readonly waldUpper: number;
}

/**
 * The z-test of two proportions with the pooled rate and no continuity correction; for large samples
 * only, and for comparison with other tools. Refuses INVALID_INPUT, NO_UNITS and, where all units
 * or none succeeded, ZERO_VARIANCE with the difference.
 *
 * @param alpha two-sided, 0 < alpha < 1
 */
export function zDifference(
  treatment: Proportion,
  control: Proportion,
  alpha: number,
): Outcome<ZDifference, { readonly diff?: number }> {
  if (!isProportion(treatment) || !isProportion(control) || !isLevel(alpha)) {
    return refuse('INVALID_INPUT');
  }
  if (treatment.n === 0 || control.n === 0) return refuse('NO_UNITS');
  const [t, c] = byRarerOutcome(treatment, control);
  const [pT, pC] = [t.x / t.n, c.x / c.n];
  const diff = pT - pC;
  const successes = t.x + c.x;
  const total = t.n + c.n;
  if (successes === 0 || successes === total) return { status: 'ZERO_VARIANCE', diff };
  const pooled = (successes / total) * ((total - successes) / total);
  const zPooled = diff / Math.sqrt(pooled * (1 / t.n + 1 / c.n));
  const half = normalIsf(alpha / 2) * Math.sqrt((pT * (1 - pT)) / t.n + (pC * (1 - pC)) / c.n);
  return {
    status: 'ok',
    diff,
    zPooled,
    pValue: Math.min(1, 2 * normalSf(Math.abs(zPooled))),
    pValueGreater: normalSf(zPooled),
    pValueLess: normalSf(-zPooled),
    waldLower: diff - half,
    waldUpper: diff + half,
  };
}
