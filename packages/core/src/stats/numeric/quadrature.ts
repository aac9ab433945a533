// Numerical integration: fixed Gauss–Legendre rules, and an adaptive rule for probabilities that
// may be tiny.

/** Nodes in −1…1, ascending, and their weights. */
interface Rule {
  readonly nodes: readonly number[];
  readonly weights: readonly number[];
}

const rules = new Map<number, Rule>();

/** The Gauss–Legendre rule of n nodes, by Newton's method; kept, since it is asked for repeatedly. */
export function gaussLegendre(n: number): Rule {
  const known = rules.get(n);
  if (known !== undefined) return known;
  const nodes = new Array<number>(n).fill(0);
  const weights = new Array<number>(n).fill(0);
  for (let i = 0; i < Math.ceil(n / 2); i++) {
    let x = Math.cos((Math.PI * (i + 0.75)) / (n + 0.5));
    let slope = 1;
    for (let step = 0; step < 100; step++) {
      const [value, derivative] = legendre(n, x);
      slope = derivative;
      const change = value / derivative;
      x -= change;
      if (Math.abs(change) < 1e-16) break;
    }
    slope = legendre(n, x)[1];
    const weight = 2 / ((1 - x * x) * slope * slope);
    nodes[i] = -x;
    nodes[n - 1 - i] = x;
    weights[i] = weight;
    weights[n - 1 - i] = weight;
  }
  const rule = { nodes, weights };
  rules.set(n, rule);
  return rule;
}

/** The Legendre polynomial of degree n at x, and its derivative. */
function legendre(n: number, x: number): readonly [number, number] {
  let previous = 1;
  let value = x;
  for (let k = 2; k <= n; k++) {
    const next = ((2 * k - 1) * x * value - (k - 1) * previous) / k;
    previous = value;
    value = next;
  }
  return [value, (n * (x * value - previous)) / (x * x - 1)];
}

// Gauss–Kronrod 10/21 of QUADPACK (Piessens et al. 1983): the nodes at odd places are Gauss's.
const KRONROD_NODES = [
  0.9956571630258081, 0.9739065285171717, 0.9301574913557082, 0.8650633666889845,
  0.7808177265864169, 0.6794095682990244, 0.5627571346686047, 0.4333953941292472,
  0.2943928627014602, 0.14887433898163122,
] as const;
const KRONROD_WEIGHTS = [
  0.011694638867371874, 0.032558162307964725, 0.054755896574351995, 0.07503967481091996,
  0.0931254545836976, 0.10938715880229764, 0.12349197626206584, 0.13470921731147334,
  0.14277593857706009, 0.14773910490133849,
] as const;
const KRONROD_CENTRE = 0.1494455540029169;
const GAUSS_WEIGHTS = [
  0.06667134430868814, 0.1494513491505806, 0.21908636251598204, 0.26926671930999635,
  0.29552422471475287,
] as const;

interface Panel {
  readonly low: number;
  readonly high: number;
  readonly value: number;
  readonly error: number;
}

function kronrod(f: (x: number) => number, low: number, high: number): Panel {
  const centre = (low + high) / 2;
  const half = (high - low) / 2;
  let value = KRONROD_CENTRE * f(centre);
  let gauss = 0;
  for (const [i, node] of KRONROD_NODES.entries()) {
    const pair = f(centre - half * node) + f(centre + half * node);
    value += (KRONROD_WEIGHTS[i] ?? 0) * pair;
    if (i % 2 === 1) gauss += (GAUSS_WEIGHTS[(i - 1) / 2] ?? 0) * pair;
  }
  return { low, high, value: value * half, error: Math.abs(value - gauss) * half };
}

const PANELS_MAX = 4000;

/**
 * ∫ f over the range of `points`, by Gauss–Kronrod panels between them, halved where they disagree.
 * The difference of the two rules overstates the error of the better one by many orders.
 *
 * @param points at least two, ascending: the ends, and where f bends or has its mass
 * @param tolerance of that difference, relative to the integral of |f|
 */
export function integrate(
  f: (x: number) => number,
  points: readonly number[],
  tolerance = 1e-11,
): number {
  const open: Panel[] = [];
  for (let i = 1; i < points.length; i++) {
    const [low, high] = [points[i - 1] ?? 0, points[i] ?? 0];
    if (high > low) open.push(kronrod(f, low, high));
  }
  const size = (panels: readonly Panel[]): number =>
    panels.reduce((sum, panel) => sum + Math.abs(panel.value), 0);
  let scale = size(open);
  let sum = 0;
  let panels = open.length;
  for (let panel = open.pop(); panel !== undefined; panel = open.pop()) {
    const middle = (panel.low + panel.high) / 2;
    const isFine =
      panel.error <= tolerance * scale ||
      panels >= PANELS_MAX ||
      middle <= panel.low ||
      middle >= panel.high;
    if (isFine) {
      sum += panel.value;
    } else {
      const left = kronrod(f, panel.low, middle);
      const right = kronrod(f, middle, panel.high);
      scale += Math.abs(left.value) + Math.abs(right.value) - Math.abs(panel.value);
      open.push(left, right);
      panels++;
    }
  }
  return sum;
}

/** What e^−60 leaves out is far below the precision of the rest. */
const LOG_DROP = 60;

/** An integral as the exponential of its integrand's peak, times what is integrated relative to it. */
interface ScaledIntegral {
  /** −Infinity where the integrand is zero everywhere. */
  readonly logPeak: number;
  readonly relative: number;
}

function integrateScaled(
  logF: (x: number) => number,
  grid: readonly number[],
  bends: readonly number[],
): ScaledIntegral {
  const values = grid.map(logF);
  const logPeak = values.reduce((a, b) => (b > a ? b : a), Number.NEGATIVE_INFINITY);
  if (!Number.isFinite(logPeak)) return { logPeak: Number.NEGATIVE_INFINITY, relative: 0 };
  const isIn = (value: number): boolean => value > logPeak - LOG_DROP;
  const first = Math.max(0, values.findIndex(isIn) - 1);
  const last = Math.min(grid.length - 1, values.findLastIndex(isIn) + 1);
  const [low = 0, high = 0] = [grid[first], grid[last]];
  const f = (x: number): number => Math.exp(logF(x) - logPeak);
  const points = [low, ...bends.filter((x) => x > low && x < high), high];
  return { logPeak, relative: integrate(f, points) };
}

/**
 * ∫ exp(logF) over the part of `grid` that matters, relative to its peak, so that an integral of
 * 1e-200 is as precise as one of 1. Returns 0 where even the peak underflows.
 *
 * @param grid ascending, so fine that logF between two points is no more than a few above both
 * @param bends ascending, the first points between which to integrate; the grid when absent
 */
export function integrateExp(
  logF: (x: number) => number,
  grid: readonly number[],
  bends: readonly number[] = grid,
): number {
  const { logPeak, relative } = integrateScaled(logF, grid, bends);
  const peak = Math.exp(logPeak);
  // So far down the grid is too coarse for what is left, which may overflow relative to its peak.
  return peak === 0 ? 0 : peak * relative;
}

/** ln of `integrateExp`, finite where the integral itself underflows. */
export function logIntegrateExp(logF: (x: number) => number, grid: readonly number[]): number {
  const { logPeak, relative } = integrateScaled(logF, grid, grid);
  return logPeak + Math.log(relative);
}

/**
 * A grid for `integrateExp`: points two deviations apart, out to where every tail has vanished.
 *
 * @param deviationLow below the centre, where the tail may be the longer one
 */
export function multiplesAround(
  centre: number,
  deviationLow: number,
  deviationHigh: number,
): readonly number[] {
  const points: number[] = [];
  for (let k = 40; k >= 1; k -= 2) points.push(centre - k * deviationLow);
  points.push(centre);
  for (let k = 1; k <= 40; k += 2) points.push(centre + k * deviationHigh);
  return points;
}
