import { normalSf } from '../distributions/normal.ts';
import { gaussLegendre } from '../numeric/quadrature.ts';

// Armitage, McPherson & Rowe 1969: the test statistic as Brownian motion B(t) = Z√t, whose density
// on paths that have not crossed a boundary is carried from look to look.

/** Mass points of the motion's place at a look, on paths that have crossed no boundary so far. */
export interface Walk {
  /** Information fraction of the look; 0 at the start. */
  readonly time: number;
  readonly places: readonly number[];
  readonly masses: readonly number[];
}

/** Before the first look: at zero with certainty. */
export const WALK_START: Walk = { time: 0, places: [0], masses: [1] };

/** A step of the walk to the next look. */
interface Step {
  readonly time: number;
  /** Mean of Z at full information. */
  readonly drift: number;
  readonly isTwoSided: boolean;
}

/** The chances to cross each boundary at the next look and not before. */
export interface Crossing {
  readonly upper: number;
  readonly lower: number;
}

/** @param critical boundary of Z at the next look, on both sides of a two-sided test */
export function crossing(
  walk: Walk,
  { time, drift, isTwoSided }: Step,
  critical: number,
): Crossing {
  const sd = Math.sqrt(time - walk.time);
  const shift = drift * (time - walk.time);
  const bound = critical * Math.sqrt(time);
  let upper = 0;
  let lower = 0;
  for (const [i, place] of walk.places.entries()) {
    const mass = walk.masses[i] ?? 0;
    upper += mass * normalSf((bound - place - shift) / sd);
    if (isTwoSided) lower += mass * normalSf((bound + place + shift) / sd);
  }
  return { upper, lower };
}

const SQRT_2PI = 2.5066282746310007;

/** Paths further out than this many deviations have a mass below 1e-43. */
const DEVIATIONS_MAX = 14;
/** Nodes for each standard deviation of the narrower of two neighbouring steps, and in all. */
const NODES_PER_DEVIATION = 5;
const NODES_MIN = 120;
const NODES_MAX = 4000;
const NODES_RUNG = 1.25;

/** A number of nodes of at least `count`, from a short ladder: rules are kept once computed. */
function ruleSize(count: number): number {
  const rungs = Math.ceil(Math.log(count / NODES_MIN) / Math.log(NODES_RUNG));
  return Math.min(NODES_MAX, Math.round(NODES_MIN * NODES_RUNG ** Math.max(0, rungs)));
}

/**
 * The walk after the next look, on paths that stay between the boundaries.
 *
 * @param critical boundary of Z at that look; Infinity for a look that decides nothing
 * @param nextTime of the look after it, for which the nodes must be fine enough; absent at the last
 */
export function advance(walk: Walk, step: Step, critical: number, nextTime?: number): Walk {
  const { time, drift, isTwoSided } = step;
  const sd = Math.sqrt(time - walk.time);
  const shift = drift * (time - walk.time);
  const root = Math.sqrt(time);
  const centre = drift * time;
  const high = Math.min(critical * root, centre + DEVIATIONS_MAX * root);
  const low = Math.max(
    isTwoSided ? -critical * root : Number.NEGATIVE_INFINITY,
    centre - DEVIATIONS_MAX * root,
  );
  // A drift so strong that nothing is left between the boundaries.
  if (!(low < high)) return { time, places: [], masses: [] };
  const nextSd = nextTime === undefined ? sd : Math.sqrt(nextTime - time);
  const count = Math.ceil((NODES_PER_DEVIATION * (high - low)) / Math.min(sd, nextSd));
  const { nodes, weights } = gaussLegendre(ruleSize(count));
  const half = (high - low) / 2;
  const places = nodes.map((node) => (low + high) / 2 + half * node);
  const factor = half / (sd * SQRT_2PI);
  const masses = places.map((x, j) => {
    let density = 0;
    for (let i = 0; i < walk.places.length; i++) {
      const distance = (x - (walk.places[i] ?? 0) - shift) / sd;
      // Beyond 39 deviations the density is exactly zero.
      if (distance < 39 && distance > -39) {
        density += (walk.masses[i] ?? 0) * Math.exp(-0.5 * distance * distance);
      }
    }
    return density * factor * (weights[j] ?? 0);
  });
  return { time, places, masses };
}
