import { binomialCdf, binomialPmf } from './distributions/beta.ts';
import { chiSquareSf } from './distributions/gamma.ts';
import { type Outcome, refuse } from './outcome.ts';

export interface SrmTest {
  readonly test: 'chi_square' | 'binomial_exact' | 'not_enough_data';
  readonly chiSquare: number;
  readonly df: number;
  /** 1 when there is not enough data to say anything. */
  readonly pValue: number;
  readonly expected: readonly number[];
}

const EXPECTED_MIN = 5;

/**
 * Pearson's χ² test of counts against expected shares.
 *
 * @param counts units per arm, whole
 * @param weights expected shares per arm, of any sum; an arm of weight 0 must be empty
 */
export function chiSquareSrm(
  counts: readonly number[],
  weights: readonly number[],
): Outcome<{
  readonly chiSquare: number;
  readonly df: number;
  readonly pValue: number;
  readonly expected: readonly number[];
}> {
  const isValid =
    counts.length === weights.length &&
    counts.every((count) => Number.isSafeInteger(count) && count >= 0) &&
    weights.every((weight) => Number.isFinite(weight) && weight >= 0);
  if (!isValid) return refuse('INVALID_INPUT');
  const total = counts.reduce((sum, count) => sum + count, 0);
  const weightSum = weights.reduce((sum, weight) => sum + weight, 0);
  if (total === 0 || weightSum === 0) return refuse('NO_UNITS');
  if (counts.some((count, index) => count > 0 && weights[index] === 0)) {
    return refuse('UNEXPECTED_ARM');
  }
  const expected = weights.map((weight) => (weight / weightSum) * total);
  const chiSquare = counts.reduce((sum, count, index) => {
    const e = expected[index] ?? 0;
    return e === 0 ? sum : sum + (count - e) ** 2 / e;
  }, 0);
  const df = weights.filter((weight) => weight > 0).length - 1;
  return {
    status: 'ok',
    chiSquare,
    df,
    pValue: df === 0 ? 1 : chiSquareSf(chiSquare, df),
    expected,
  };
}

/**
 * Exact two-sided binomial test of a share, adding all outcomes that are no likelier than the one
 * seen.
 *
 * @param share expected, 0 < share < 1
 */
export function binomialExact(count: number, total: number, share: number): number {
  const limit = binomialPmf(count, total, share) * (1 + 1e-7);
  const mode = Math.floor((total + 1) * share);
  // The probability falls on both sides of the mode, so each tail is one cut.
  if (count <= mode) {
    let upper = mode + 1;
    while (upper <= total && binomialPmf(upper, total, share) > limit) upper++;
    const lowerEnd = binomialPmf(mode, total, share) <= limit ? upper - 1 : count;
    return Math.min(
      1,
      binomialCdf(lowerEnd, total, share) + (1 - binomialCdf(upper - 1, total, share)),
    );
  }
  let lower = mode;
  while (lower >= 0 && binomialPmf(lower, total, share) > limit) lower--;
  return Math.min(1, binomialCdf(lower, total, share) + (1 - binomialCdf(count - 1, total, share)));
}

/**
 * Sample ratio mismatch: χ², where every arm expects at least five units, else the exact test for
 * two arms, else an honest "not enough data".
 */
export function srmTest(counts: readonly number[], weights: readonly number[]): Outcome<SrmTest> {
  const pearson = chiSquareSrm(counts, weights);
  if (pearson.status !== 'ok') return refuse(pearson.status);
  const arms = counts.flatMap((count, index) =>
    (weights[index] ?? 0) > 0 ? [{ count, index }] : [],
  );
  const isEnough = arms.every(({ index }) => (pearson.expected[index] ?? 0) >= EXPECTED_MIN);
  if (isEnough) return { ...pearson, test: 'chi_square' };
  const [first, second] = arms;
  if (arms.length === 2 && first !== undefined && second !== undefined) {
    const total = first.count + second.count;
    const share = (pearson.expected[first.index] ?? 0) / total;
    return { ...pearson, test: 'binomial_exact', pValue: binomialExact(first.count, total, share) };
  }
  return { ...pearson, test: 'not_enough_data', pValue: 1 };
}
