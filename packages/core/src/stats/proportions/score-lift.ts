import { normalIsf } from '../distributions/normal.ts';
import { findRoot } from '../numeric/root.ts';
import { isLevel, type Outcome, refuse } from '../outcome.ts';
import { isProportion, type Proportion } from './wilson.ts';

/** Relative lift of a rate. */
export interface RateLift {
  /** (T − C) / C as a fraction; null when the control has no success. */
  readonly lift: number | null;
  readonly liftLower: number;
  /** Infinity when the data set no upper limit. */
  readonly liftUpper: number;
  readonly ratioLower: number;
  readonly ratioUpper: number;
}

/** Z² for the hypothesis that the rates have the ratio `ratio` (Koopman 1984; Nam 1995). */
function scoreSquare(treatment: Proportion, control: Proportion, ratio: number): number {
  const total = treatment.n + control.n;
  const successes = treatment.x + control.x;
  const a = total * ratio;
  const b = treatment.n * ratio + treatment.x + control.n + control.x * ratio;
  // This form of the quadratic's root does not cancel.
  const root = Math.sqrt(Math.max(0, b * b - 4 * a * successes));
  const controlRate = Math.min(1, (2 * successes) / (b + root));
  const treatmentRate = Math.min(1, ratio * controlRate);
  const distance = treatment.x / treatment.n - (ratio * control.x) / control.n;
  const variance =
    ((treatmentRate * (1 - treatmentRate)) / treatment.n +
      (ratio * ratio * controlRate * (1 - controlRate)) / control.n) *
    (total / (total - 1));
  if (distance === 0) return 0;
  return variance <= 0 ? Number.POSITIVE_INFINITY : (distance * distance) / variance;
}

/**
 * Interval of the relative lift of a proportion by the score statistic (Koopman 1984; Nam 1995;
 * Miettinen & Nurminen 1985). Refuses INVALID_INPUT and NO_UNITS.
 *
 * @param alpha two-sided, 0 < alpha < 1
 */
export function scoreLift(
  treatment: Proportion,
  control: Proportion,
  alpha: number,
): Outcome<RateLift> {
  if (!isProportion(treatment) || !isProportion(control) || !isLevel(alpha)) {
    return refuse('INVALID_INPUT');
  }
  if (treatment.n === 0 || control.n === 0) return refuse('NO_UNITS');
  const limit = normalIsf(alpha / 2) ** 2;
  const excess = (logRatio: number): number =>
    Math.min(1e6, scoreSquare(treatment, control, Math.exp(logRatio)) - limit);
  const ratio = treatment.x / treatment.n / (control.x / control.n);
  const hasBoth = treatment.x > 0 && control.x > 0;
  // With one count of zero the estimate is at an end, and the search starts from the middle.
  const start = hasBoth ? Math.log(ratio) : 0;
  const ratioLower = treatment.x === 0 ? 0 : Math.exp(search(excess, start, -1, control.x === 0));
  const ratioUpper =
    control.x === 0
      ? Number.POSITIVE_INFINITY
      : Math.exp(search(excess, start, 1, treatment.x === 0));
  return {
    status: 'ok',
    lift: control.x === 0 ? null : ratio - 1,
    liftLower: ratioLower - 1,
    liftUpper: ratioUpper - 1,
    ratioLower,
    ratioUpper,
  };
}

/** ln of the limit in a direction. `isOneSided`: the statistic only falls in the other one. */
function search(
  excess: (logRatio: number) => number,
  start: number,
  direction: -1 | 1,
  isOneSided: boolean,
): number {
  let inside = start;
  // The start itself may be rejected when the estimate lies at an end.
  if (isOneSided) {
    for (let step = 1; excess(inside) > 0 && step < 1e3; step *= 2) inside -= direction * step;
  }
  let outside = inside;
  for (let step = 0.5; step < 1e3; step *= 2) {
    outside = inside + direction * step;
    if (excess(outside) > 0) break;
  }
  return findRoot(excess, inside, outside, 1e-15);
}
