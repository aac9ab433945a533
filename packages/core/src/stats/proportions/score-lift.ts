import { normalIsf } from '../distributions/normal.ts';
import { findRoot } from '../numeric/root.ts';
import { isLevel, type Outcome, refuse } from '../outcome.ts';
import { areMostlySuccesses, isProportion, type Proportion, rateDifference } from './wilson.ts';

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

/**
 * Z² for the hypothesis that the rates have a ratio (Koopman 1984; Nam 1995). The control's rate is
 * the root of N·ratio·p² − b·p + successes, of which neither the discriminant nor the rates of failure
 * are computed as differences of what is nearly equal: rates near 1 keep their digits.
 */
function scoreSquare(treatment: Proportion, control: Proportion, logRatio: number): number {
  const [{ x: xT, n: nT }, { x: xC, n: nC }] = [treatment, control];
  const [failedT, failedC] = [nT - xT, nC - xC];
  const ratio = Math.exp(logRatio);
  const change = Math.expm1(logRatio);
  const isNearOne = areMostlySuccesses(treatment, control);
  const distance = isNearOne
    ? rateDifference(treatment, control) - (change * xC) / nC
    : xT / nT - (ratio * xC) / nC;
  if (distance === 0) return 0;
  const gap = isNearOne ? change * (nT + xC) + failedT - failedC : ratio * (nT + xC) - nC - xT;
  const rest = 4 * ratio * failedT * failedC;
  const root = Math.sqrt(gap * gap + rest);
  // root + gap and root − gap, whose product is the rest.
  const larger = root + Math.abs(gap);
  const smaller = rest === 0 ? 0 : rest / larger;
  const [sum, difference] = gap > 0 ? [larger, smaller] : [smaller, larger];
  const denominator = ratio * (nT + xC) + nC + xT + root;
  const rateC = (2 * (xT + xC)) / denominator;
  const varianceC = rateC * ((2 * failedC + sum) / denominator);
  const varianceT = ratio * rateC * ((2 * ratio * failedT + difference) / denominator);
  const total = nT + nC;
  const variance = (varianceT / nT + (ratio * ratio * varianceC) / nC) * (total / (total - 1));
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
    Math.min(1e6, scoreSquare(treatment, control, logRatio) - limit);
  const ratio = treatment.x / treatment.n / (control.x / control.n);
  const hasBoth = treatment.x > 0 && control.x > 0;
  // With one count of zero the estimate is at an end, and the search starts from the middle.
  const start = hasBoth ? Math.log(ratio) : 0;
  const lower = treatment.x === 0 ? -Infinity : search(excess, start, -1, control.x === 0);
  const upper = control.x === 0 ? Infinity : search(excess, start, 1, treatment.x === 0);
  return {
    status: 'ok',
    lift: control.x === 0 ? null : rateDifference(treatment, control) / (control.x / control.n),
    liftLower: Math.expm1(lower),
    liftUpper: Math.expm1(upper),
    ratioLower: Math.exp(lower),
    ratioUpper: Math.exp(upper),
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
