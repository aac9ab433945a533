// The gamma function and its incomplete integrals. All on a log scale, all with both tails.

const LN_SQRT_2PI = 0.9189385332046728;
const EPSILON = 1e-17;
const ITERATIONS_MAX = 20_000;

/** Terms of Stirling's series for ln Γ: B₂ₖ / (2k(2k−1)). */
const STIRLING = [
  1 / 12,
  -1 / 360,
  1 / 1260,
  -1 / 1680,
  1 / 1188,
  -691 / 360360,
  1 / 156,
  -3617 / 122400,
] as const;

/** ln Γ(x) − ((x − ½) ln x − x + ½ ln 2π) for x ≥ 15, where eight terms reach full precision. */
export function stirlingCorrection(x: number): number {
  const inverse = 1 / x;
  const square = inverse * inverse;
  let sum = 0;
  for (let k = STIRLING.length - 1; k >= 0; k--) sum = sum * square + (STIRLING[k] ?? 0);
  return sum * inverse;
}

/** ln Γ(x) for x > 0. Small arguments are shifted to 15 by the recurrence, then Stirling. */
export function logGamma(x: number): number {
  let shifted = x;
  let product = 1;
  while (shifted < 15) product *= shifted++;
  const value =
    (shifted - 0.5) * Math.log(shifted) - shifted + LN_SQRT_2PI + stirlingCorrection(shifted);
  return value - Math.log(product);
}

/**
 * ln Γ(a + b) − ln Γ(a) without the cancellation of two large logarithms.
 *
 * @param a > 0
 * @param b ≥ 0
 */
function logGammaRatio(a: number, b: number): number {
  if (a < 15) return logGamma(a + b) - logGamma(a);
  return (
    (a - 0.5) * Math.log1p(b / a) +
    b * Math.log(a + b) -
    b +
    (stirlingCorrection(a + b) - stirlingCorrection(a))
  );
}

/** ln B(a, b) for a, b > 0. */
export function logBeta(a: number, b: number): number {
  const [small, large] = a < b ? [a, b] : [b, a];
  return logGamma(small) - logGammaRatio(large, small);
}

/**
 * The regularised incomplete gamma integrals P(a, x) and Q(a, x) = 1 − P, the smaller of which is
 * computed and the other taken from it (series and continued fraction, Abramowitz & Stegun 6.5).
 *
 * @param a > 0
 * @param x ≥ 0
 */
function incompleteGamma(a: number, x: number): { readonly p: number; readonly q: number } {
  if (x === 0) return { p: 0, q: 1 };
  const front = Math.exp(a * Math.log(x) - x - logGamma(a));
  if (x < a + 1) {
    let term = 1 / a;
    let sum = term;
    for (let n = 1; n < ITERATIONS_MAX && term > sum * EPSILON; n++) {
      term *= x / (a + n);
      sum += term;
    }
    const p = front * sum;
    return { p, q: 1 - p };
  }
  // Lentz's method for the continued fraction of Γ(a, x).
  let b = x + 1 - a;
  let c = 1e300;
  let d = 1 / b;
  let h = d;
  for (let n = 1; n < ITERATIONS_MAX; n++) {
    const an = -n * (n - a);
    b += 2;
    d = 1 / (an * d + b);
    c = b + an / c;
    const delta = c * d;
    h *= delta;
    if (Math.abs(delta - 1) < 1e-16) break;
  }
  const q = front * h;
  return { p: 1 - q, q };
}

/** P(X > x) of the χ² distribution. @param df degrees of freedom, > 0 */
export function chiSquareSf(x: number, df: number): number {
  return x <= 0 ? 1 : incompleteGamma(df / 2, x / 2).q;
}
