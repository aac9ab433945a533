import { logGammaFront, logGammaRatioScaled, upperGammaRatio } from './gamma.ts';

/** From here on the expansion has full precision, and the continued fraction starts to lose it. */
const RATIO_MIN = 1000;
const LARGE_MIN = 10_000;

/** The expansion is in powers of ln x; further out the fraction has nothing to cancel. */
const DISTANCE_MAX = 0.5;

/** Whether a is so much larger than b that Beta(a, b) is nearly a gamma law of −ln x. */
export const isLopsided = (y: number, a: number, b: number): boolean =>
  y < DISTANCE_MAX && a > LARGE_MIN && a > RATIO_MIN * b;

/**
 * ln I_x(a, b) for a ≫ b and x below the mean, by an expansion in incomplete gamma integrals (DiDonato
 * & Morris 1992, BGRAT). It is what Student's t with a million degrees of freedom and rare events
 * among a billion units need.
 *
 * @param y 1 − x, in which x has all its digits
 */
export function logBetaLopsided(y: number, a: number, b: number): number {
  const t = a + (b - 1) / 2;
  const logX = Math.log1p(-y);
  const u = -t * logX;
  const quarter = (logX / 2) ** 2;
  const scale = 1 / (4 * t * t);
  let j = upperGammaRatio(b, u);
  let sum = j;
  let power = 1;
  const p: number[] = [1];
  // 1/(2m + 1)! for m = 0, 1, …
  const inverse: number[] = [1];
  for (let n = 1; n < 30; n++) {
    const k = b + 2 * (n - 1);
    j = scale * (k * (k + 1) * j + (u + k + 1) * power);
    power *= quarter;
    inverse.push((inverse[n - 1] ?? 0) / (2 * n * (2 * n + 1)));
    let coefficient = (b - 1) * (inverse[n] ?? 0);
    for (let m = 1; m < n; m++) {
      coefficient += ((m * b - n) / n) * (inverse[m] ?? 0) * (p[n - m] ?? 0);
    }
    p.push(coefficient);
    const term = coefficient * j;
    sum += term;
    if (Math.abs(term) < 1e-17 * Math.abs(sum)) break;
  }
  return Math.min(0, logGammaFront(b, u) + logGammaRatioScaled(a, b) + Math.log(sum));
}
