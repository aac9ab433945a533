import { incompleteBeta } from '../distributions/beta.ts';
import { integrate } from '../numeric/quadrature.ts';
import { findRoot } from '../numeric/root.ts';
import { isLevel, type Outcome, refuse } from '../outcome.ts';
import type { Proportion } from '../proportions/wilson.ts';
import {
  type BetaLaw,
  type BetaPrior,
  gridOf,
  isUsable,
  logDensity,
  posterior,
  rateOf,
  sortedUnion,
  UNIFORM_PRIOR,
} from './beta-law.ts';

/** Equal-tailed intervals of the difference and of the relative lift, with the medians. */
export interface BetaCredibleInterval {
  readonly diffLower: number;
  readonly diffMedian: number;
  readonly diffUpper: number;
  readonly liftLower: number;
  readonly liftMedian: number;
  readonly liftUpper: number;
}

/** What else there is of a law within this share of its density's peak does not matter. */
const LOG_DENSITY_DROP = 38;
/** Of the two quadrature rules' difference; the better rule is then right to some 1e-14. */
const TOLERANCE = 1e-9;

/** Grid points of u where a law has its mass. */
function massOf(law: BetaLaw): readonly number[] {
  const grid = gridOf(law);
  const logs = grid.map((u) => logDensity(law, u));
  const peak = Math.max(...logs);
  return grid.filter(
    (_, i) =>
      Math.max(logs[i - 1] ?? -Infinity, logs[i] ?? 0, logs[i + 1] ?? -Infinity) >
      peak - LOG_DENSITY_DROP,
  );
}

const logit = (x: number): number => Math.log(x) - Math.log1p(-x);

/** An effect of a treatment rate on a control rate, such as a difference. */
interface Effect {
  /** The treatment rate at which the effect on a control rate has this size, and its complement. */
  readonly treatment: (
    control: { readonly x: number; readonly y: number },
    size: number,
  ) => { readonly x: number; readonly y: number };
  /** The control rate for a treatment rate. */
  readonly control: (treatmentRate: number, size: number) => number;
}

const DIFFERENCE: Effect = {
  treatment: ({ x, y }, size) => ({ x: x + size, y: y - size }),
  control: (rate, size) => rate - size,
};

/** The size is the logarithm of the ratio. */
const LOG_RATIO: Effect = {
  treatment: ({ x, y }, size) => {
    const rate = x * Math.exp(size);
    return { x: rate, y: y - x * Math.expm1(size) };
  },
  control: (rate, size) => rate * Math.exp(-size),
};

/** P(effect ≤ size) as a function of the size. */
function effectCdf(t: BetaLaw, c: BetaLaw, effect: Effect): (size: number) => number {
  const own = massOf(c);
  const other = massOf(t).map((u) => rateOf(u).x);
  const [low = 0, high = 0] = [own[0], own.at(-1)];
  return (size) => {
    // Where the treatment's law turns from 0 to 1, seen from the control; with it 0 and 1, the kinks.
    const turns = [0, ...other, 1]
      .map((rate) => effect.control(rate, size))
      .filter((x) => x > 0 && x < 1)
      .map(logit)
      .filter((u) => u > low && u < high);
    const f = (u: number): number => {
      const { x, y } = effect.treatment(rateOf(u), size);
      return Math.exp(logDensity(c, u)) * incompleteBeta(x, y, t.a, t.b).lower;
    };
    return integrate(f, sortedUnion([own, turns]), TOLERANCE);
  };
}

/** Where a distribution function reaches a probability, from a bracket that certainly holds it. */
const quantileOf = (
  cdf: (size: number) => number,
  p: number,
  [low, high]: readonly [number, number],
): number => findRoot((size) => cdf(size) - p, low, high, 1e-12);

/**
 * Credible intervals of the difference and the lift of two rates with Beta posteriors, by quadrature.
 * Refuses INVALID_INPUT.
 *
 * @param credibility 0 < credibility < 1
 */
export function betaCredibleInterval(
  treatment: Proportion,
  control: Proportion,
  prior: BetaPrior = UNIFORM_PRIOR,
  credibility = 0.95,
): Outcome<BetaCredibleInterval> {
  if (!isUsable([treatment, control], prior) || !isLevel(credibility)) {
    return refuse('INVALID_INPUT');
  }
  const t = posterior(treatment, prior);
  const c = posterior(control, prior);
  const tail = (1 - credibility) / 2;
  const [massT, massC] = [massOf(t), massOf(c)].map((us) => us.map((u) => rateOf(u).x));
  const [lowT = 0, highT = 1] = [massT?.[0], massT?.at(-1)];
  const [lowC = 0, highC = 1] = [massC?.[0], massC?.at(-1)];
  const diff = effectCdf(t, c, DIFFERENCE);
  const diffRange = [lowT - highC, highT - lowC] as const;
  const ratio = effectCdf(t, c, LOG_RATIO);
  const ratioRange = [Math.log(lowT / highC), Math.log(highT / lowC)] as const;
  return {
    status: 'ok',
    diffLower: quantileOf(diff, tail, diffRange),
    diffMedian: quantileOf(diff, 0.5, diffRange),
    diffUpper: quantileOf(diff, 1 - tail, diffRange),
    liftLower: Math.expm1(quantileOf(ratio, tail, ratioRange)),
    liftMedian: Math.expm1(quantileOf(ratio, 0.5, ratioRange)),
    liftUpper: Math.expm1(quantileOf(ratio, 1 - tail, ratioRange)),
  };
}
