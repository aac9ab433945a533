import { type Outcome, refuse } from '../outcome.ts';

/** The largest distance of an empirical distribution from the uniform one, and how likely it is. */
export interface KsTest {
  readonly statistic: number;
  readonly pValue: number;
}

/** Up to this many values the exact law is computed; its cost grows with the square root cubed. */
const EXACT_MAX = 1000;
/** From n·D² on, twice the one-sided tail is exact to ten digits (Simard & L'Ecuyer 2011). */
const TAIL_FROM = 4;

/** P(D⁺ ≥ d) of the one-sided statistic (Smirnov 1944; Birnbaum & Tingey 1951). */
function oneSidedTail(n: number, d: number): number {
  let sum = 0;
  let logChoose = 0;
  for (let j = 0; j <= Math.floor(n * (1 - d)); j++) {
    if (j > 0) logChoose += Math.log((n - j + 1) / j);
    const a = d + j / n;
    const rest = 1 - a;
    if (rest > 0) {
      sum += Math.exp(logChoose + (j - 1) * Math.log(a) + (n - j) * Math.log(rest));
    } else if (n === j) {
      sum += Math.exp(logChoose + (j - 1) * Math.log(a));
    }
  }
  return d * sum;
}

type Square = readonly (readonly number[])[];

function multiply(a: Square, b: Square): Square {
  return a.map((row) => {
    const product = new Array<number>(row.length).fill(0);
    for (const [k, value] of row.entries()) {
      if (value === 0) continue;
      const other = b[k] ?? [];
      for (let j = 0; j < product.length; j++) {
        product[j] = (product[j] ?? 0) + value * (other[j] ?? 0);
      }
    }
    return product;
  });
}

/** Durbin's matrix for P(D < d), with d = (k − h)/n. */
function durbinMatrix(k: number, h: number): Square {
  const size = 2 * k - 1;
  const power = (x: number, m: number): number => x ** m;
  const raw = Array.from({ length: size }, (_, i) =>
    Array.from({ length: size }, (_, j): number => (i - j + 1 < 0 ? 0 : 1)),
  );
  for (let i = 0; i < size; i++) {
    const [row, last] = [raw[i], raw[size - 1]];
    if (row === undefined || last === undefined) continue;
    row[0] = (row[0] ?? 0) - power(h, i + 1);
    last[i] = (last[i] ?? 0) - power(h, size - i);
  }
  const corner = raw[size - 1];
  if (corner !== undefined && 2 * h - 1 > 0) {
    corner[0] = (corner[0] ?? 0) + power(2 * h - 1, size);
  }
  return raw.map((row, i) =>
    row.map((value, j) => {
      let scaled = value;
      for (let g = 1; g <= i - j + 1; g++) scaled /= g;
      return scaled;
    }),
  );
}

/** A matrix as a multiple of a power of ten, lest its powers overflow. */
interface Scaled {
  readonly matrix: Square;
  readonly exponent: number;
}

function rescale({ matrix, exponent }: Scaled): Scaled {
  const centre = matrix[Math.floor(matrix.length / 2)]?.[Math.floor(matrix.length / 2)] ?? 1;
  if (centre < 1e140) return { matrix, exponent };
  return { matrix: matrix.map((row) => row.map((v) => v * 1e-140)), exponent: exponent + 140 };
}

function matrixPower(matrix: Square, n: number): Scaled {
  if (n === 1) return { matrix, exponent: 0 };
  const half = matrixPower(matrix, Math.floor(n / 2));
  let squared = rescale({
    matrix: multiply(half.matrix, half.matrix),
    exponent: 2 * half.exponent,
  });
  if (n % 2 === 1) {
    squared = rescale({ ...squared, matrix: multiply(squared.matrix, matrix) });
  }
  return squared;
}

/** P(D < d), exactly (Durbin 1973; Marsaglia, Tsang & Wang 2003). */
function exactCdf(n: number, d: number): number {
  const k = Math.floor(n * d) + 1;
  const { matrix, exponent } = matrixPower(durbinMatrix(k, k - n * d), n);
  let value = matrix[k - 1]?.[k - 1] ?? 0;
  let scale = exponent;
  for (let i = 1; i <= n; i++) {
    value *= i / n;
    if (value < 1e-140) {
      value *= 1e140;
      scale -= 140;
    }
  }
  return value * 10 ** scale;
}

/** Kolmogorov's limit law, its argument corrected for n (Stephens 1970). */
function limitSf(n: number, d: number): number {
  const x = d * (Math.sqrt(n) + 0.12 + 0.11 / Math.sqrt(n));
  if (x < 0.3) return 1;
  let sum = 0;
  for (let j = 1; j <= 100; j++) {
    const term = Math.exp(-2 * j * j * x * x);
    sum += j % 2 === 1 ? term : -term;
    if (term < 1e-18) break;
  }
  return Math.min(1, Math.max(0, 2 * sum));
}

/**
 * The test of Kolmogorov & Smirnov that values are uniform on 0…1, as p-values are when nothing is
 * to be found. Exact for up to 1000 values and in the tail, else within a hundredth of itself. Refuses
 * INVALID_INPUT and NO_UNITS.
 *
 * @param values 0…1 each, of a continuous distribution
 */
export function ksUniform(values: readonly number[]): Outcome<KsTest> {
  if (!values.every((value) => value >= 0 && value <= 1)) return refuse('INVALID_INPUT');
  const n = values.length;
  if (n === 0) return refuse('NO_UNITS');
  const sorted = [...values].sort((a, b) => a - b);
  const statistic = sorted.reduce(
    (d, value, i) => Math.max(d, (i + 1) / n - value, value - i / n),
    0,
  );
  return { status: 'ok', statistic, pValue: tail(n, statistic) };
}

function tail(n: number, d: number): number {
  if (d >= 1) return 0;
  if (n * d * d >= TAIL_FROM) return Math.min(1, 2 * oneSidedTail(n, d));
  return n <= EXACT_MAX ? Math.min(1, Math.max(0, 1 - exactCdf(n, d))) : limitSf(n, d);
}
