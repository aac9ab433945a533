import { binomialPmf } from '../src/stats/index.ts';
import type { Random } from '../test/stats/random.ts';

// Exact draws from the laws of sufficient statistics and of units.

/** A gamma variate of scale 1 (Marsaglia & Tsang 2000). @param shape ≥ 0 */
function gammaDraw(random: Random, shape: number): number {
  if (shape === 0) return 0;
  if (shape < 1) return gammaDraw(random, shape + 1) * random.uniform() ** (1 / shape);
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = random.normal();
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(random.uniform()) < 0.5 * x * x + d * (1 - v + Math.log(v))) return d * v;
  }
}

/** @param df ≥ 0; 0 gives 0 */
export const chiSquareDraw = (random: Random, df: number): number => 2 * gammaDraw(random, df / 2);

/** Up to so many units are counted one by one. */
const ONE_BY_ONE = 12;

/** Successes among n units, by inversion from the mode outwards: some √n steps. */
export function binomialDraw(random: Random, n: number, p: number): number {
  if (n <= ONE_BY_ONE) {
    let x = 0;
    for (let i = 0; i < n; i++) if (random.uniform() < p) x++;
    return x;
  }
  if (p <= 0 || p >= 1) return p <= 0 ? 0 : n;
  const mode = Math.floor((n + 1) * p);
  const odds = p / (1 - p);
  let [up, down] = [mode, mode];
  let atUp = binomialPmf(mode, n, p);
  let atDown = atUp;
  let left = random.uniform() - atUp;
  while (left > 0 && (up < n || down > 0)) {
    if (up < n) {
      atUp *= ((n - up) / (up + 1)) * odds;
      up++;
      left -= atUp;
      if (left <= 0) return up;
    }
    if (down > 0) {
      atDown *= down / ((n - down + 1) * odds);
      down--;
      left -= atDown;
      if (left <= 0) return down;
    }
  }
  return mode;
}

/** How many of n units fall into each class. @param shares of a sum of 1 */
export function multinomialDraw(random: Random, n: number, shares: readonly number[]): number[] {
  let [units, rest] = [n, 1];
  return shares.map((share, k) => {
    const count =
      k === shares.length - 1 ? units : binomialDraw(random, units, Math.min(1, share / rest));
    units -= count;
    rest -= share;
    return count;
  });
}

/** The probabilities of a Poisson law from 0 on, up to where nothing is left. */
export function poissonLaw(mean: number): readonly number[] {
  const law = [Math.exp(-mean)];
  for (let k = 1; k < mean || (law[k - 1] ?? 0) > 1e-18; k++) {
    law.push(((law[k - 1] ?? 0) * mean) / k);
  }
  return law;
}

/** Draws an index by its weight in constant time (Walker 1977, Vose 1991). */
export function aliasSampler(weights: readonly number[]): (random: Random) => number {
  const size = weights.length;
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const scaled = Float64Array.from(weights, (weight) => (weight / sum) * size);
  const alias = Uint32Array.from(weights, (_, k) => k);
  const small: number[] = [];
  const large: number[] = [];
  for (const [k, weight] of scaled.entries()) (weight < 1 ? small : large).push(k);
  for (let s = small.pop(), l = large.at(-1); s !== undefined && l !== undefined; ) {
    alias[s] = l;
    scaled[l] = (scaled[l] ?? 0) - (1 - (scaled[s] ?? 0));
    if ((scaled[l] ?? 0) < 1) {
      s = large.pop();
      l = large.at(-1);
    } else {
      s = small.pop();
    }
  }
  return (random) => {
    const place = random.uniform() * size;
    const k = Math.floor(place);
    return place - k < (scaled[k] ?? 1) ? k : (alias[k] ?? k);
  };
}
