import { chiSquareSf } from '../distributions/chi-square.ts';
import { normalSf } from '../distributions/normal.ts';
import type { Vector } from '../numeric/linear-algebra.ts';
import { dot, type Matrix, quadraticForm, solveSemidefinite } from '../numeric/linear-algebra.ts';
import { type Outcome, refuse } from '../outcome.ts';
import { expectation, varyingWeightsSrm, type WeightPeriod } from './varying-weights.ts';

/** What one part of the units has to do with a mismatch of all of them. */
export interface SrmContribution {
  /** Share of all units, 0…1. */
  readonly shareOfUnits: number;
  /**
   * Share of the whole deviation that is the part's: they add up to 1, and one is below 0 where the
   * part deviates the other way. A mismatch that is everywhere alike gives each part its
   * `shareOfUnits`. 0 where the whole does not deviate at all.
   */
  readonly shareOfExcess: number;
  /** Of the part alone. */
  readonly chiSquare: number;
  readonly df: number;
  /** The part's χ² less its expectation, in its standard deviations: comparable between parts. */
  readonly standardised: number;
  /** Of the part alone. */
  readonly pValue: number;
  /** Of all other parts together; null without others. */
  readonly pValueOfRest: number | null;
  /** That the part is split as the others are; null without others. */
  readonly pValueOfDifference: number | null;
}

/** How the counts of units deviate from what is expected of them. */
interface Deviation {
  readonly units: number;
  readonly deviation: Vector;
  readonly covariance: Matrix;
}

function deviationOf(periods: readonly WeightPeriod[], arms: number): Deviation {
  const { expected, covariance } = expectation(periods, arms);
  const observed = expected.map((_, arm) =>
    periods.reduce((sum, { counts }) => sum + (counts[arm] ?? 0), 0),
  );
  const units = observed.reduce((sum, count) => sum + count, 0);
  return {
    units,
    deviation: observed.map((count, arm) => count - (expected[arm] ?? 0)),
    covariance,
  };
}

/** a·x + b·y for vectors and, row by row, for matrices. */
const combine = (a: number, x: Vector, b: number, y: Vector): Vector =>
  x.map((value, i) => a * value + b * (y[i] ?? 0));
const combineRows = (a: number, x: Matrix, b: number, y: Matrix): Matrix =>
  x.map((row, i) => combine(a, row, b, y[i] ?? []));

function wald(deviation: Vector, covariance: Matrix) {
  const { solution, kept } = solveSemidefinite(covariance, deviation);
  const chiSquare = Math.max(0, dot(deviation, solution));
  const df = kept.length;
  return { chiSquare, df, pValue: df === 0 ? 1 : chiSquareSf(chiSquare, df) };
}

/** The p-values of what is left without a part, and of the part being like what is left. */
function againstRest(part: Deviation, whole: Deviation) {
  const units = whole.units - part.units;
  if (units <= 0 || part.units <= 0) return { pValueOfRest: null, pValueOfDifference: null };
  const deviation = combine(1, whole.deviation, -1, part.deviation);
  const covariance = combineRows(1, whole.covariance, -1, part.covariance);
  const difference = combine(1 / part.units, part.deviation, -1 / units, deviation);
  const both = combineRows(1 / part.units ** 2, part.covariance, 1 / units ** 2, covariance);
  return {
    pValueOfRest: wald(deviation, covariance).pValue,
    pValueOfDifference: wald(difference, both).pValue,
  };
}

/**
 * Where a sample ratio mismatch sits: each part of the units (a day, a segment) against the whole.
 * With d the deviation of the whole and V its covariance, a part of the deviation d_c has the share
 * d_c'V⁻d / d'V⁻d. Refuses as `varyingWeightsSrm` does.
 *
 * @param parts the periods of weights within each part; every unit is in one part
 */
export function srmContributions(
  parts: readonly (readonly WeightPeriod[])[],
): Outcome<{ readonly parts: readonly SrmContribution[] }> {
  const test = varyingWeightsSrm(parts.flat());
  if (test.status !== 'ok') return refuse(test.status);
  const arms = test.observed.length;
  const whole = deviationOf(parts.flat(), arms);
  const { solution: direction } = solveSemidefinite(whole.covariance, whole.deviation);
  const excess = dot(whole.deviation, direction);
  return {
    status: 'ok',
    parts: parts.map((periods) => {
      const part = deviationOf(periods, arms);
      const own = wald(part.deviation, part.covariance);
      return {
        ...own,
        shareOfUnits: part.units / whole.units,
        shareOfExcess: excess > 0 ? dot(part.deviation, direction) / excess : 0,
        standardised: own.df === 0 ? 0 : (own.chiSquare - own.df) / Math.sqrt(2 * own.df),
        ...againstRest(part, whole),
      };
    }),
  };
}

/**
 * Whether a mismatch grows with time: the one-sided p-value of a trend, by least squares, of how far
 * the units of successive looks go in the direction of the whole deviation. Under a mismatch that
 * stays the same it is uniform. Refuses as `varyingWeightsSrm` does, and INSUFFICIENT_UNITS for fewer
 * than three looks with units.
 *
 * @param looks the periods of weights within the units that came at each, at equal distances
 */
export function srmTrend(
  looks: readonly (readonly WeightPeriod[])[],
): Outcome<{ readonly z: number; readonly pValue: number }> {
  const test = varyingWeightsSrm(looks.flat());
  if (test.status !== 'ok') return refuse(test.status);
  const arms = test.observed.length;
  const whole = deviationOf(looks.flat(), arms);
  const { solution: direction } = solveSemidefinite(whole.covariance, whole.deviation);
  const points = looks.flatMap((periods, time) => {
    const { units, deviation, covariance } = deviationOf(periods, arms);
    const variance = quadraticForm(direction, covariance);
    return units > 0 && variance > 0 ? [{ time, score: dot(deviation, direction), variance }] : [];
  });
  if (points.length < 3) return refuse('INSUFFICIENT_UNITS');
  const weight = points.reduce((sum, { variance }) => sum + variance, 0);
  const centre = points.reduce((sum, { time, variance }) => sum + (variance / weight) * time, 0);
  const slope = points.reduce((sum, { time, score }) => sum + (time - centre) * score, 0);
  const square = points.reduce(
    (sum, { time, variance }) => sum + (time - centre) ** 2 * variance,
    0,
  );
  const z = slope / Math.sqrt(square);
  return { status: 'ok', z, pValue: normalSf(z) };
}
