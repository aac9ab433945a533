import { type JointMoments, jointMomentsFromSums } from '../joint-moments.ts';
import { type Flag, isCount, type Outcome, refuse } from '../outcome.ts';
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

/** A ratio as a sample that Welch's test takes. */
export interface RatioSample {
  readonly sample: Sample;
  readonly flags: readonly Flag[];
}

/** From this many of its standard errors on, the mean denominator is well above zero. */
const DENOMINATOR_T_MIN = 8;

/** A difference this small against its terms has no digits left. */
const ROUNDING = 1e-12;

/**
 * A ratio of sums as a sample that Welch's test takes: mean R = ΣY/ΣD, variance that of one unit by
 * the delta method (Deng, Knoblich & Lu 2018). Units without a denominator stay in. Refuses
 * INVALID_INPUT, NO_UNITS and ZERO_DENOMINATOR.
 */
export function ratioSample(sums: RatioSums): Outcome<RatioSample> {
  const { n, sumNumerator: y, sumDenominator: d, sumProduct } = sums;
  const { numeratorShift = 0, denominatorShift = 0 } = sums;
  if (!isCount(n)) return refuse('INVALID_INPUT');
  if (n === 0) return refuse('NO_UNITS');
  return ratioOfMoments(
    jointMomentsFromSums(
      n,
      [y, d],
      [
        [sums.sumNumeratorSquares, sumProduct],
        [sumProduct, sums.sumDenominatorSquares],
      ],
      [numeratorShift, denominatorShift],
    ),
  );
}

/**
 * `ratioSample` from joint moments that begin with those of numerator and denominator, in this order.
 */
export function ratioOfMoments(moments: JointMoments): Outcome<RatioSample> {
  const { n, mean, products } = moments;
  const [meanY = Number.NaN, meanD = Number.NaN] = mean;
  const [ofY = [], ofD = []] = products;
  const [productY = Number.NaN, product = Number.NaN] = ofY;
  const [, productD = Number.NaN] = ofD;
  const areNumbers = [meanY, meanD, productY, product, productD].every(Number.isFinite);
  if (!isCount(n) || (n > 0 && !areNumbers)) return refuse('INVALID_INPUT');
  if (n === 0) return refuse('NO_UNITS');
  if (meanD === 0) return refuse('ZERO_DENOMINATOR');
  const ratio = meanY / meanD;
  // A single unit has no variance, which Welch's test then says.
  if (n < 2) return { status: 'ok', sample: { n, mean: ratio, variance: Number.NaN }, flags: [] };
  const [varY, covariance, varD] = [productY / (n - 1), product / (n - 1), productD / (n - 1)];
  const residual = varY - 2 * ratio * covariance + ratio * ratio * varD;
  // Where y is d times a constant the three terms cancel, and what is left of them is rounding.
  const size = varY + Math.abs(2 * ratio * covariance) + ratio * ratio * varD;
  const variance = residual < ROUNDING * size ? 0 : residual / (meanD * meanD);
  const isWeak = Math.abs(meanD) < DENOMINATOR_T_MIN * Math.sqrt(varD / n);
  return {
    status: 'ok',
    sample: { n, mean: ratio, variance },
    flags: isWeak ? ['WEAK_DENOMINATOR'] : [],
  };
}
