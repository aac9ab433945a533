import { chiSquareSf } from '../distributions/chi-square.ts';
import { isCount, type Outcome, refuse } from '../outcome.ts';
import { binomialExact } from './binomial.ts';

/** What a p-value of a sample ratio mismatch means: alarm below 0.001, warning below 0.01. */
export type SrmLevel = 'ok' | 'warning' | 'alarm';

const ALARM_BELOW = 0.001;
const WARNING_BELOW = 0.01;

/** The level of a p-value. */
export const srmLevel = (pValue: number): SrmLevel =>
  pValue < ALARM_BELOW ? 'alarm' : pValue < WARNING_BELOW ? 'warning' : 'ok';

/** Pearson's statistic of counts against what their shares expect. */
export interface ChiSquareSrm {
  readonly chiSquare: number;
  readonly df: number;
  readonly pValue: number;
  readonly expected: readonly number[];
}

/** The verdict on a split of units. */
export type SrmTest =
  | (ChiSquareSrm & { readonly test: 'chi_square' | 'binomial_exact'; readonly level: SrmLevel })
  | {
      readonly test: 'not_enough_data';
      readonly level: 'not_enough_data';
      readonly pValue: null;
      readonly expected: readonly number[];
    };

/** Below this many expected units in an arm χ² is no longer a good approximation. */
const EXPECTED_MIN = 5;

/**
 * Pearson's χ² test of counts against expected shares. Refuses INVALID_INPUT, with fewer than two
 * arms to compare as well; NO_UNITS; and UNEXPECTED_ARM for units where the share is 0.
 *
 * @param counts units per arm, whole
 * @param weights expected shares per arm, of any sum; an arm of weight 0 must be empty
 */
export function chiSquareSrm(
  counts: readonly number[],
  weights: readonly number[],
): Outcome<ChiSquareSrm> {
  const isValid =
    counts.length === weights.length &&
    counts.every(isCount) &&
    weights.every((weight) => Number.isFinite(weight) && weight >= 0);
  if (!isValid) return refuse('INVALID_INPUT');
  const total = counts.reduce((sum, count) => sum + count, 0);
  const weightSum = weights.reduce((sum, weight) => sum + weight, 0);
  if (total === 0) return refuse('NO_UNITS');
  if (counts.some((count, index) => count > 0 && weights[index] === 0)) {
    return refuse('UNEXPECTED_ARM');
  }
  const df = weights.filter((weight) => weight > 0).length - 1;
  if (df === 0) return refuse('INVALID_INPUT');
  const expected = weights.map((weight) => (weight / weightSum) * total);
  const chiSquare = counts.reduce((sum, count, index) => {
    const e = expected[index] ?? 0;
    return e === 0 ? sum : sum + (count - e) ** 2 / e;
  }, 0);
  return { status: 'ok', chiSquare, df, pValue: chiSquareSf(chiSquare, df), expected };
}

/**
 * Sample ratio mismatch: χ² where every arm expects at least five units, else the exact test for
 * two arms, else an honest "not enough data". Refuses as `chiSquareSrm` does.
 */
export function srmTest(counts: readonly number[], weights: readonly number[]): Outcome<SrmTest> {
  const pearson = chiSquareSrm(counts, weights);
  if (pearson.status !== 'ok') return refuse(pearson.status);
  const { expected } = pearson;
  const arms = counts.flatMap((count, index) =>
    (weights[index] ?? 0) > 0 ? [{ count, expected: expected[index] ?? 0 }] : [],
  );
  if (arms.every((arm) => arm.expected >= EXPECTED_MIN)) {
    return { ...pearson, test: 'chi_square', level: srmLevel(pearson.pValue) };
  }
  const [first, second] = arms;
  if (arms.length === 2 && first !== undefined && second !== undefined) {
    const total = first.count + second.count;
    const exact = binomialExact(first.count, total, first.expected / total);
    if (exact.status === 'ok') {
      const { pValue } = exact;
      return { ...pearson, test: 'binomial_exact', pValue, level: srmLevel(pValue) };
    }
  }
  const level = 'not_enough_data';
  return { status: 'ok', test: level, level, pValue: null, expected };
}
