import { normalIsf } from '../distributions/normal.ts';
import { isLevel, type Outcome, refuse } from '../outcome.ts';
import { areMostlySuccesses, isProportion, type Proportion, rateDifference } from './wilson.ts';

/** Relative lift of a proportion by large-sample formulas. */
export interface LogRateLift {
  /** (T − C) / C as a fraction. */
  readonly lift: number;
  /** Standard error of the lift by the delta method. */
  readonly seDelta: number;
  /** Standard error of the logarithm of the ratio; null, as its limits, when no unit was treated successfully. */
  readonly seLog: number | null;
  readonly liftLower: number | null;
  readonly liftUpper: number | null;
}

/**
 * Interval of the relative lift on the scale of logarithms (Katz et al. 1978); for comparison with
 * other tools, since the score interval holds for small counts too. Refuses INVALID_INPUT, NO_UNITS
 * and, without a success in the control, ZERO_BASELINE.
 *
 * @param alpha two-sided, 0 < alpha < 1
 */
export function logRateLift(
  treatment: Proportion,
  control: Proportion,
  alpha: number,
): Outcome<LogRateLift> {
  if (!isProportion(treatment) || !isProportion(control) || !isLevel(alpha)) {
    return refuse('INVALID_INPUT');
  }
  if (treatment.n === 0 || control.n === 0) return refuse('NO_UNITS');
  if (control.x === 0) return refuse('ZERO_BASELINE');
  const [pT, pC] = [treatment.x / treatment.n, control.x / control.n];
  const ratio = pT / pC;
  // Relative variances (1 − p)/x: 1/x − 1/n would cancel where nearly all units succeeded, as 1 − p.
  const relative = ({ x, n }: Proportion): number => (n - x) / n / x;
  const lift = rateDifference(treatment, control) / pC;
  if (treatment.x === 0) {
    return { status: 'ok', lift: -1, seDelta: 0, seLog: null, liftLower: null, liftUpper: null };
  }
  const [relativeT, relativeC] = [relative(treatment), relative(control)];
  const seLog = Math.sqrt(relativeT + relativeC);
  const half = normalIsf(alpha / 2) * seLog;
  const centre = areMostlySuccesses(treatment, control) ? Math.log1p(lift) : Math.log(ratio);
  return {
    status: 'ok',
    lift,
    seDelta: ratio * seLog,
    seLog,
    liftLower: Math.expm1(centre - half),
    liftUpper: Math.expm1(centre + half),
  };
}
