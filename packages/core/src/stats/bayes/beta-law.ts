import { logIncompleteBeta, logPowerOverBeta } from '../distributions/beta.ts';
import { multiplesAround } from '../numeric/quadrature.ts';
import { isPositive } from '../outcome.ts';
import { isProportion, type Proportion } from '../proportions/wilson.ts';

/** The Beta law of a rate beforehand; 1 and 1 is uniform. */
export interface BetaPrior {
  /** > 0. */
  readonly alpha: number;
  /** > 0. */
  readonly beta: number;
}

/** The uniform prior. */
export const UNIFORM_PRIOR: BetaPrior = { alpha: 1, beta: 1 };

/** The Beta law of a rate. */
export interface BetaLaw {
  readonly a: number;
  readonly b: number;
}

/** Whether a prior is proper. */
const isBetaPrior = ({ alpha, beta }: BetaPrior): boolean => isPositive(alpha) && isPositive(beta);

/** The law of a rate after x successes in n units. */
export const posterior = ({ x, n }: Proportion, { alpha, beta }: BetaPrior): BetaLaw => ({
  a: alpha + x,
  b: beta + n - x,
});

/** Whether both arms and a prior are usable. */
export const isUsable = (arms: readonly Proportion[], prior: BetaPrior): boolean =>
  arms.every(isProportion) && isBetaPrior(prior);

// Integrals are taken over u = ln(x / (1 − x)): there the density is log-concave for any law, the
// tails end exponentially on both sides, and a rate of 1e-9 is as far from 0 as one of 0.1.

/** The rate of u, and its complement to full precision. */
export const rateOf = (u: number): { readonly x: number; readonly y: number } => ({
  x: 1 / (1 + Math.exp(-u)),
  y: 1 / (1 + Math.exp(u)),
});

/** ln of the density of u. */
export function logDensity({ a, b }: BetaLaw, u: number): number {
  const { x, y } = rateOf(u);
  return logPowerOverBeta(x, y, a, b);
}

/** ln P(rate ≤ rate of u) and ln P(rate > rate of u). */
export function logTails({ a, b }: BetaLaw, u: number): ReturnType<typeof logIncompleteBeta> {
  const { x, y } = rateOf(u);
  return logIncompleteBeta(x, y, a, b);
}

/** Points of u that cover a law, two deviations apart, and further out where a tail is long. */
export function gridOf({ a, b }: BetaLaw): readonly number[] {
  const sd = Math.sqrt(1 / a + 1 / b);
  // The tails fall like e^{au} and e^{−bu}, which for small shapes is slow.
  return multiplesAround(Math.log(a / b), Math.max(sd, 2 / a), Math.max(sd, 2 / b));
}

/** Ascending, and each value once. */
export const sortedUnion = (lists: readonly (readonly number[])[]): readonly number[] =>
  [...new Set(lists.flat())].sort((p, q) => p - q);
