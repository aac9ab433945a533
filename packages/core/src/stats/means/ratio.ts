import { type Outcome, refuse } from '../outcome.ts';
import type { Sample } from './welch.ts';

/** Sums over units of a numerator y and a denominator d, each about its own constant. */
export interface RatioSums {
  readonly n: number;
  readonly sumNumerator: number;
  readonly sumDenominator: number;
  readonly sumNumeratorSquares: number;
  readonly sumDenominatorSquares: number;
  readonly sumProduct: number;
  /** The constants that were subtracted before summing; 0 when absent. */
  readonly numeratorShift?: number;
  readonly denominatorShift?: number;
}

/**
 * A ratio of sums as a sample that Welch's test takes: mean R = ΣY/ΣD, variance that of one unit
 * by the delta method (Deng, Knoblich & Lu 2018). Units without a denominator stay in.
 */
export function ratioSample(sums: RatioSums): Outcome<{ readonly sample: Sample }> {
  const { n, numeratorShift: cY = 0, denominatorShift: cD = 0 } = sums;
  if (!Number.isSafeInteger(n) || n < 0) return refuse('INVALID_INPUT');
  if (n === 0) return refuse('NO_UNITS');
  const meanY = cY + sums.sumNumerator / n;
  const meanD = cD + sums.sumDenominator / n;
  if (meanD === 0) return refuse('ZERO_DENOMINATOR');
  const ratio = meanY / meanD;
  if (n < 2) return { status: 'ok', sample: { n, mean: ratio, variance: Number.NaN } };
  const co = (product: number, a: number, b: number): number => (product - (a * b) / n) / (n - 1);
  const varY = co(sums.sumNumeratorSquares, sums.sumNumerator, sums.sumNumerator);
  const varD = co(sums.sumDenominatorSquares, sums.sumDenominator, sums.sumDenominator);
  const cov = co(sums.sumProduct, sums.sumNumerator, sums.sumDenominator);
  const variance = (varY - 2 * ratio * cov + ratio * ratio * varD) / (meanD * meanD);
  return { status: 'ok', sample: { n, mean: ratio, variance: Math.max(0, variance) } };
}
