import { normalLogCdf } from '../distributions/normal.ts';
import { integrateExp, multiplesAround } from '../numeric/quadrature.ts';
import { isPositive, type Outcome, refuse } from '../outcome.ts';
import type { Proportion } from '../proportions/wilson.ts';
import {
  type BetaPrior,
  gridOf,
  isUsable,
  logDensity,
  logTails,
  posterior,
  rateOf,
  sortedUnion,
  UNIFORM_PRIOR,
} from './beta-law.ts';

/** Each arm's chance to be the best, and what choosing it is expected to cost. */
export interface ProbBest {
  readonly probBest: readonly number[];
  /** E[max of all − this one]. */
  readonly expectedLoss: readonly number[];
}

/** A law of one arm on a common scale. */
interface Law {
  readonly logDensity: (u: number) => number;
  readonly logCdf: (u: number) => number;
  /** Points that cover it, ascending. */
  readonly grid: readonly number[];
}

const centreOf = ({ grid }: Law): number => grid[Math.floor(grid.length / 2)] ?? 0;
const spacingOf = ({ grid }: Law): number => {
  const middle = Math.floor(grid.length / 2);
  return (grid[middle + 1] ?? 0) - (grid[middle] ?? 0);
};

/**
 * Where to cut the integrals of a law: at its own points, at the centres of all laws, and about those
 * that turn from 0 to 1 within a small part of the panel they are in, which a quadrature rule would
 * step over.
 */
function bendsOf(law: Law, laws: readonly Law[]): readonly number[] {
  const points = sortedUnion([law.grid, laws.map(centreOf)]);
  const narrow = laws.filter((other) => {
    const at = points.indexOf(centreOf(other));
    const [below = -Infinity, centre = 0, above = Infinity] = [-1, 0, 1].map((k) => points[at + k]);
    return spacingOf(other) < Math.max(above - centre, centre - below) / 8;
  });
  return sortedUnion([
    points,
    narrow.flatMap((other) =>
      [-10, -4, -1, 1, 4, 10].map((k) => centreOf(other) + k * spacingOf(other)),
    ),
  ]);
}

const LN_SQRT_2PI = 0.9189385332046728;

const normalLaw = (mean: number, sd: number): Law => ({
  logDensity: (u) => -0.5 * ((u - mean) / sd) ** 2 - Math.log(sd) - LN_SQRT_2PI,
  logCdf: (u) => normalLogCdf((u - mean) / sd),
  grid: multiplesAround(mean, sd, sd),
});

/** ln(1 − Π F_j), for which Π itself may round to 1. */
const logNotAll = (logCdfs: readonly number[]): number =>
  Math.log(-Math.expm1(logCdfs.reduce((sum, value) => sum + value, 0)));

/**
 * Quadrature of both, arm by arm. @param logScale ln of dθ/du, which turns losses on the scale of u
 * into losses on that of the arms
 */
function bestOf(laws: readonly Law[], logScale: (u: number) => number): ProbBest {
  // Every fourth point of each arm is enough to find where the integrals have their mass.
  const scan = sortedUnion([
    laws.map(centreOf),
    laws.flatMap(({ grid }) => grid.filter((_, k) => k % 4 === 0)),
  ]);
  const results = laws.map((law, i) => {
    const others = laws.filter((_, j) => j !== i);
    const bends = bendsOf(law, laws);
    const grid = sortedUnion([bends, scan]);
    const logBest = (u: number): number =>
      others.reduce((sum, { logCdf }) => sum + logCdf(u), law.logDensity(u));
    const logLoss = (u: number): number =>
      law.logCdf(u) + logNotAll(others.map(({ logCdf }) => logCdf(u))) + logScale(u);
    return {
      probBest: Math.min(1, integrateExp(logBest, grid, bends)),
      expectedLoss: integrateExp(logLoss, grid, bends),
    };
  });
  return {
    probBest: results.map((result) => result.probBest),
    expectedLoss: results.map((result) => result.expectedLoss),
  };
}

/**
 * Which of several arms is best, by independent normal posteriors and quadrature: the same answer
 * each time. Refuses INVALID_INPUT and, for a deviation of 0, ZERO_VARIANCE.
 *
 * @param means of at least two arms, some fifty at most
 * @param sds their standard deviations, ≥ 0
 */
export function probBestNormal(
  means: readonly number[],
  sds: readonly number[],
): Outcome<ProbBest> {
  const isValid =
    means.length >= 2 &&
    means.length === sds.length &&
    means.every((mean) => Number.isFinite(mean)) &&
    sds.every((sd) => Number.isFinite(sd) && sd >= 0);
  if (!isValid) return refuse('INVALID_INPUT');
  if (!sds.every(isPositive)) return refuse('ZERO_VARIANCE');
  return {
    status: 'ok',
    ...bestOf(
      means.map((mean, i) => normalLaw(mean, sds[i] ?? 1)),
      () => 0,
    ),
  };
}

/**
 * Which of several rates is best, by independent Beta posteriors and quadrature. Refuses
 * INVALID_INPUT.
 *
 * @param arms at least two, some fifty at most
 */
export function probBestBeta(
  arms: readonly Proportion[],
  prior: BetaPrior = UNIFORM_PRIOR,
): Outcome<ProbBest> {
  if (arms.length < 2 || !isUsable(arms, prior)) return refuse('INVALID_INPUT');
  const laws = arms.map((arm): Law => {
    const law = posterior(arm, prior);
    return {
      logDensity: (u) => logDensity(law, u),
      logCdf: (u) => logTails(law, u).lower,
      grid: gridOf(law),
    };
  });
  const logScale = (u: number): number => {
    const { x, y } = rateOf(u);
    return Math.log(x) + Math.log(y);
  };
  return { status: 'ok', ...bestOf(laws, logScale) };
}
