// The standard normal distribution, with both tails and their logarithms to full precision.

const SQRT_2 = Math.SQRT2;
const SQRT_PI = 1.772453850905516;
const SQRT_2PI = 2.5066282746310007;

/** From here on exp(−x²/2) is zero. */
const UNDERFLOW_FROM = 39;

/** exp(−x²/2), with the square split so that far out no digit is lost to its rounding. */
function gaussian(x: number): number {
  if (Math.abs(x) > UNDERFLOW_FROM) return 0;
  const head = Math.trunc(x * 16) / 16;
  return Math.exp(-0.5 * head * head) * Math.exp(-0.5 * (x - head) * (x + head));
}

/** The density. */
export const normalPdf = (x: number): number => gaussian(x) / SQRT_2PI;

// Cody 1969, rational approximations of exp(z²)·erfc(z), lowest index first as he gives them.
const NEAR = [
  0.5641884969886701, 8.883149794388377, 66.11919063714163, 298.6351381974001, 881.952221241769,
  1712.0476126340707, 2051.0783778260716, 1230.3393547979972,
] as const;
const NEAR_FIRST = 2.1531153547440383e-8;
const NEAR_BELOW = [
  15.744926110709835, 117.6939508913125, 537.1811018620099, 1621.3895745666903, 3290.7992357334597,
  4362.619090143247, 3439.3676741437216, 1230.3393548037495,
] as const;
const TAIL = [
  0.30532663496123236, 0.36034489994980445, 0.12578172611122926, 0.016083785148742275,
  0.0006587491615298378,
] as const;
const TAIL_FIRST = 0.016315387137302097;
const TAIL_BELOW = [
  2.568520192289822, 1.8729528499234671, 0.5279051029514285, 0.06051834131244132,
  0.002335204976268692,
] as const;

/** exp(z²)·erfc(z) for z ≥ 0.47. */
function scaledErfc(z: number): number {
  if (z <= 4) {
    const above = NEAR.reduce((sum, value) => sum * z + value, NEAR_FIRST);
    return above / NEAR_BELOW.reduce((sum, value) => sum * z + value, 1);
  }
  const w = 1 / (z * z);
  const above = TAIL.reduce((sum, value) => sum * w + value, TAIL_FIRST);
  const below = TAIL_BELOW.reduce((sum, value) => sum * w + value, 1);
  return (1 / SQRT_PI - (w * above) / below) / z;
}

/** erf(z) for small z, by its everywhere convergent series. */
function erfSeries(z: number): number {
  let term = z;
  let sum = z;
  for (let n = 1; Math.abs(term) > Math.abs(sum) * 1e-17 && n < 200; n++) {
    term *= (2 * z * z) / (2 * n + 1);
    sum += term;
  }
  return (2 / SQRT_PI) * Math.exp(-z * z) * sum;
}

/** Where the tail is large enough to be one half less something. */
const SERIES_BELOW = 0.5;

/** P(X > x). */
export function normalSf(x: number): number {
  const z = x / SQRT_2;
  if (Math.abs(z) < SERIES_BELOW) return 0.5 - 0.5 * erfSeries(z);
  const tail = 0.5 * gaussian(x) * scaledErfc(Math.abs(z));
  return z > 0 ? tail : 1 - tail;
}

/** P(X ≤ x). */
export const normalCdf = (x: number): number => normalSf(-x);

/** ln P(X > x), finite where the probability itself underflows. */
export function normalLogSf(x: number): number {
  const z = x / SQRT_2;
  if (z < SERIES_BELOW) return Math.log1p(-normalSf(-x));
  return -0.5 * x * x + Math.log(0.5 * scaledErfc(z));
}

/** ln P(X ≤ x). */
export const normalLogCdf = (x: number): number => normalLogSf(-x);

/**
 * E[max(X − k, 0)] = φ(k) − k·P(X > k), the loss function of decisions under a normal posterior. In
 * the tail both terms nearly cancel; with the fraction P(X > k) = φ(k)/(k + r) they do not.
 */
export function normalLoss(k: number): number {
  if (k < 2) return normalPdf(k) - k * normalSf(k);
  // Enough of them at k = 2, where the fraction converges slowest, and at any k beyond.
  const terms = Math.ceil(20 + 700 / (k * k));
  let tail = k;
  for (let j = terms; j >= 2; j--) tail = k + j / tail;
  const r = 1 / tail;
  return (normalPdf(k) * r) / (k + r);
}

/** Evaluates a polynomial, highest power first. */
const horner = (coefficients: readonly number[], x: number): number =>
  coefficients.reduce((sum, coefficient) => sum * x + coefficient, 0);

// Wichura 1988, algorithm AS 241 (PPND16), highest power first.
const CENTRE = [
  2509.0809287301227, 33430.57558358813, 67265.7709270087, 45921.95393154987, 13731.69376550946,
  1971.5909503065513, 133.14166789178438, 3.3871328727963665,
] as const;
const CENTRE_BELOW = [
  5226.495278852854, 28729.085735721943, 39307.89580009271, 21213.794301586597, 5394.196021424751,
  687.1870074920579, 42.31333070160091, 1,
] as const;
const MIDDLE = [
  0.0007745450142783414, 0.022723844989269184, 0.2417807251774506, 1.2704582524523684,
  3.6478483247632045, 5.769497221460691, 4.630337846156546, 1.4234371107496835,
] as const;
const MIDDLE_BELOW = [
  1.0507500716444169e-9, 0.0005475938084995345, 0.015198666563616457, 0.14810397642748008,
  0.6897673349851, 1.6763848301838038, 2.053191626637759, 1,
] as const;
const FAR = [
  2.0103343992922881e-7, 2.7115555687434876e-5, 0.0012426609473880784, 0.026532189526576124,
  0.29656057182850487, 1.7848265399172913, 5.463784911164114, 6.657904643501103,
] as const;
const FAR_BELOW = [
  2.0442631033899397e-15, 1.421511758316446e-7, 1.8463183175100548e-5, 0.0007868691311456133,
  0.014875361290850615, 0.1369298809227358, 0.599832206555888, 1,
] as const;

/**
 * The x with P(X > x) = q.
 *
 * @param q 0…1; the ends give ±Infinity
 */
export function normalIsf(q: number): number {
  if (q <= 0) return Number.POSITIVE_INFINITY;
  if (q >= 1) return Number.NEGATIVE_INFINITY;
  if (q > 0.5) return -normalIsf(1 - q);
  const offset = 0.5 - q;
  let x: number;
  if (offset <= 0.425) {
    const r = 0.180625 - offset * offset;
    x = (offset * horner(CENTRE, r)) / horner(CENTRE_BELOW, r);
  } else {
    const r = Math.sqrt(-Math.log(q));
    x =
      r <= 5
        ? horner(MIDDLE, r - 1.6) / horner(MIDDLE_BELOW, r - 1.6)
        : horner(FAR, r - 5) / horner(FAR_BELOW, r - 5);
  }
  // One Newton step on the logarithm of the tail, where it does not underflow.
  const pdf = normalPdf(x);
  return pdf > 1e-290 ? x + (Math.log(normalSf(x)) - Math.log(q)) * (normalSf(x) / pdf) : x;
}

/** The x with P(X ≤ x) = p. @param p 0…1 */
export const normalQuantile = (p: number): number => -normalIsf(p);
