import { normalIsf, normalSf } from '../distributions/normal.ts';
import { findRoot } from '../numeric/root.ts';
import { isLevel, type Outcome, refuse } from '../outcome.ts';
import { byRarerOutcome, isProportion, type Proportion } from './wilson.ts';

/** Rates under the hypothesis that they differ by a given amount. */
interface ConstrainedRates {
  readonly treatment: number;
  readonly control: number;
}

/**
 * Maximum likelihood rates under p_T − p_C = delta. The derivative of the constrained likelihood
 * is monotone, so it is bisected; the closed form by a cubic loses digits for rare events.
 *
 * @param delta −1…1
 */
export function constrainedRates(
  treatment: Proportion,
  control: Proportion,
  delta: number,
): ConstrainedRates {
  const low = Math.max(0, -delta);
  const high = Math.min(1, 1 - delta);
  const score = (p: number): number => {
    const q = p + delta;
    return (
      term(control.x, p) -
      term(control.n - control.x, 1 - p) +
      term(treatment.x, q) -
      term(treatment.n - treatment.x, 1 - q)
    );
  };
  const p = score(low) <= 0 ? low : score(high) >= 0 ? high : bisect(score, low, high);
  return { control: p, treatment: Math.min(1, Math.max(0, p + delta)) };
}

/** count / rate, where nothing was counted at a rate of zero is nothing. */
const term = (count: number, rate: number): number =>
  count === 0 ? 0 : rate <= 0 ? Number.POSITIVE_INFINITY : count / rate;

/** Halves until neighbouring numbers are left: infinities at the ends rule a secant out. */
function bisect(f: (x: number) => number, low: number, high: number): number {
  let a = low;
  let b = high;
  // Geometric steps while the root is many orders of magnitude below the bracket.
  for (let i = 0; i < 200; i++) {
    const middle = a > 0 && b / a > 4 ? Math.sqrt(a * b) : a + (b - a) / 2;
    if (middle === a || middle === b) break;
    if (f(middle) > 0) a = middle;
    else b = middle;
  }
  return a + (b - a) / 2;
}

/** Miettinen & Nurminen's Z² for the hypothesis that the rates differ by `delta`. */
function scoreSquare(treatment: Proportion, control: Proportion, delta: number): number {
  const distance = treatment.x / treatment.n - control.x / control.n - delta;
  if (distance === 0) return 0;
  const rates = constrainedRates(treatment, control, delta);
  const total = treatment.n + control.n;
  const variance =
    ((rates.treatment * (1 - rates.treatment)) / treatment.n +
      (rates.control * (1 - rates.control)) / control.n) *
    (total / (total - 1));
  return variance <= 0 ? Number.POSITIVE_INFINITY : (distance * distance) / variance;
}

/**
 * Miettinen & Nurminen's statistic for the hypothesis that the rates differ by `delta`, with the
 * sign of what the data say beyond it.
 *
 * @param delta −1…1
 */
export function scoreZ(treatment: Proportion, control: Proportion, delta: number): number {
  const [t, c] = byRarerOutcome(treatment, control);
  const distance = t.x / t.n - c.x / c.n - delta;
  return Math.sign(distance) * Math.sqrt(scoreSquare(t, c, delta));
}

/** Test and interval of a difference of rates. */
export interface RateDifference {
  /** Treatment minus control. */
  readonly diff: number;
  readonly lower: number;
  readonly upper: number;
  readonly z: number;
  /** Two-sided. */
  readonly pValue: number;
}

/**
 * Test and interval of the difference of two proportions by the score statistic (Miettinen &
 * Nurminen 1985): the interval excludes zero exactly when the test rejects.
 * Refuses INVALID_INPUT and NO_UNITS; all units or none may have succeeded.
 *
 * @param alpha two-sided, 0 < alpha < 1
 */
export function scoreDifference(
  treatment: Proportion,
  control: Proportion,
  alpha: number,
): Outcome<RateDifference> {
  if (!isProportion(treatment) || !isProportion(control) || !isLevel(alpha)) {
    return refuse('INVALID_INPUT');
  }
  if (treatment.n === 0 || control.n === 0) return refuse('NO_UNITS');
  const [t, c] = byRarerOutcome(treatment, control);
  const diff = t.x / t.n - c.x / c.n;
  const limit = normalIsf(alpha / 2) ** 2;
  const excess = (delta: number): number => scoreSquare(t, c, delta) - limit;
  const z = scoreZ(t, c, 0);
  return {
    status: 'ok',
    diff,
    lower: bound(excess, diff, -1),
    upper: bound(excess, diff, 1),
    z,
    pValue: z === 0 ? 1 : 2 * normalSf(Math.abs(z)),
  };
}

/** The difference beyond which, towards `end`, the hypothesis is rejected. */
function bound(excess: (delta: number) => number, diff: number, end: -1 | 1): number {
  if (diff === end || excess(end) <= 0) return end;
  // At the very end the statistic may be infinite, which a secant cannot use.
  const capped = (delta: number): number => Math.min(excess(delta), 1e6);
  return findRoot(capped, diff, end, 1e-14);
}
