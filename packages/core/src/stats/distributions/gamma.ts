// The gamma function and its incomplete integrals. All on a log scale, all with both tails.

const LN_SQRT_2PI = 0.9189385332046728;
const TWO_PI = 6.283185307179586;
const EPSILON = 1e-17;
const ITERATIONS_MAX = 1_000_000;

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

/** Stirling's series for ln Γ(x) − ((x − ½) ln x − x + ½ ln 2π), precise from x = 15 on. */
function stirlingSeries(x: number): number {
  const inverse = 1 / x;
  const square = inverse * inverse;
  let sum = 0;
  for (let k = STIRLING.length - 1; k >= 0; k--) sum = sum * square + (STIRLING[k] ?? 0);
  return sum * inverse;
}

/**
 * ln Γ(x) − ((x − ½) ln x − x + ½ ln 2π) for x > 0, which equals ln Γ(x + 1) − ((x + ½) ln x − x +
 * ½ ln 2π) (Loader 2000, `stirlerr`).
 */
export function stirlingError(x: number): number {
  if (x >= 15) return stirlingSeries(x);
  return logGamma(x + 1) - (x + 0.5) * Math.log(x) + x - LN_SQRT_2PI;
}

/** ζ(k) − 1 for k = 2, 3, …: the coefficients of ln Γ about 2. */
const ZETA_MINUS_1 = [
  0.6449340668482264, 0.2020569031595943, 0.08232323371113819, 0.03692775514336993,
  0.01734306198444914, 0.008349277381922827, 0.00407735619794434, 0.0020083928260822143,
  0.0009945751278180853, 0.0004941886041194645, 0.0002460865533080483, 0.00012271334757848915,
  6.124813505870483e-5, 3.058823630702049e-5, 1.528225940865187e-5, 7.637197637899763e-6,
  3.81729326499984e-6, 1.908212716553939e-6, 9.539620338727962e-7, 4.769329867878064e-7,
  2.38450502727733e-7, 1.1921992596531106e-7, 5.960818905125948e-8, 2.980350351465228e-8,
  1.4901554828365043e-8, 7.45071178983543e-9,
] as const;
const ONE_MINUS_EULER = 0.42278433509846713;

/** ln Γ(2 + e) for |e| ≤ ½, precise near its zero at e = 0 too. */
function logGammaAboutTwo(e: number): number {
  let sum = 0;
  for (let k = ZETA_MINUS_1.length + 1; k >= 2; k--) {
    sum = -e * (sum + (ZETA_MINUS_1[k - 2] ?? 0) / k);
  }
  return e * (ONE_MINUS_EULER - sum);
}

/**
 * ln Γ(x) for x > 0. Small arguments are shifted to 15 by the recurrence, then Stirling; about its
 * zeros at 1 and 2, where that loses all digits, by Taylor's series.
 */
export function logGamma(x: number): number {
  if (x >= 1.5 && x <= 2.5) return logGammaAboutTwo(x - 2);
  if (x >= 0.5 && x < 1.5) return logGammaAboutTwo(x - 1) - Math.log1p(x - 1);
  let shifted = x;
  let product = 1;
  while (shifted < 15) product *= shifted++;
  const value =
    (shifted - 0.5) * Math.log(shifted) - shifted + LN_SQRT_2PI + stirlingSeries(shifted);
  return value - Math.log(product);
}

/**
 * ln(Γ(a + b) / (Γ(a) T^b)) with T = a + (b − 1)/2, which tends to 0 for large a.
 *
 * @param a ≥ 15
 */
export function logGammaRatioScaled(a: number, b: number): number {
  const t = a + (b - 1) / 2;
  return (
    (a - 0.5) * Math.log1p(b / a) -
    b +
    b * Math.log1p((b + 1) / (2 * t)) +
    (stirlingSeries(a + b) - stirlingSeries(a))
  );
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
    (stirlingSeries(a + b) - stirlingSeries(a))
  );
}

/** ln B(a, b) for a, b > 0. */
export function logBeta(a: number, b: number): number {
  const [small, large] = a < b ? [a, b] : [b, a];
  return logGamma(small) - logGammaRatio(large, small);
}

/** x ln(x/m) + m − x ≥ 0 for x, m > 0, without cancellation near x = m (Loader 2000, `bd0`). */
export function deviance(x: number, m: number): number {
  if (Math.abs(x - m) >= 0.1 * (x + m)) return x * Math.log(x / m) + m - x;
  const v = (x - m) / (x + m);
  let sum = (x - m) * v;
  let term = 2 * x * v;
  for (let k = 1; k < 1000; k++) {
    term *= v * v;
    const next = sum + term / (2 * k + 1);
    if (next === sum) return next;
    sum = next;
  }
  return sum;
}

/** ln(x^a e^−x / Γ(a)). */
export function logGammaFront(a: number, x: number): number {
  // Beyond small shapes the terms are huge and nearly cancel; Loader's form has none of them.
  return a < 10
    ? a * Math.log(x) - x - logGamma(a)
    : 0.5 * Math.log(a / TWO_PI) - deviance(a, x) - stirlingError(a);
}

/** Q(a, x) over x^a e^−x / Γ(a), by Lentz's method for x ≥ a + 1. */
function upperFraction(a: number, x: number): number {
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
    if (Math.abs(delta - 1) < 3e-16) break;
  }
  return h;
}

/** Q(a, x) over x^a e^−x / Γ(a), which may not underflow with them. */
export const upperGammaRatio = (a: number, x: number): number =>
  x < a + 1 ? incompleteGamma(a, x).q / Math.exp(logGammaFront(a, x)) : upperFraction(a, x);

/** ln of the smaller of P(a, x) and Q(a, x), and which one it is. */
function smallerTail(a: number, x: number): { readonly log: number; readonly isLower: boolean } {
  const front = logGammaFront(a, x);
  if (x >= a + 1)
    return { log: Math.min(0, front + Math.log(upperFraction(a, x))), isLower: false };
  let term = 1 / a;
  let sum = term;
  for (let n = 1; n < ITERATIONS_MAX && term > sum * EPSILON; n++) {
    term *= x / (a + n);
    sum += term;
  }
  return { log: Math.min(0, front + Math.log(sum)), isLower: true };
}

/** P(a, x) and Q(a, x) = 1 − P, or their logarithms. */
interface GammaTails {
  readonly p: number;
  readonly q: number;
}

/**
 * The regularised incomplete gamma integrals P(a, x) and Q(a, x) = 1 − P, the smaller of which is
 * computed and the other taken from it (series and continued fraction, Abramowitz & Stegun 6.5).
 *
 * @param a > 0
 * @param x ≥ 0
 */
export function incompleteGamma(a: number, x: number): GammaTails {
  if (x <= 0) return { p: 0, q: 1 };
  if (x === Number.POSITIVE_INFINITY) return { p: 1, q: 0 };
  const { log, isLower } = smallerTail(a, x);
  const tail = Math.exp(log);
  return isLower ? { p: tail, q: 1 - tail } : { p: 1 - tail, q: tail };
}

/** The logarithms of both integrals, finite where the integrals themselves underflow. */
export function logIncompleteGamma(a: number, x: number): GammaTails {
  if (x <= 0) return { p: Number.NEGATIVE_INFINITY, q: 0 };
  if (x === Number.POSITIVE_INFINITY) return { p: 0, q: Number.NEGATIVE_INFINITY };
  const { log, isLower } = smallerTail(a, x);
  const other = Math.log1p(-Math.exp(log));
  return isLower ? { p: log, q: other } : { p: other, q: log };
}
