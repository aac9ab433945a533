import type {
  Arms,
  CovariateArm,
  CupedArm,
  CupedRatioArm,
  RatioSums,
  Sample,
} from '../../src/stats/index.ts';

// Arms in another unit or shifted, for claims of what that does to the answers.

/** A change of one arm as the same of both. */
export const bothArms =
  <A>(change: (arm: A, factor: number) => A) =>
  <D extends Arms<A>>(data: D, factor: number): D => ({
    ...data,
    treatment: change(data.treatment, factor),
    control: change(data.control, factor),
  });

/** A sample in another unit. */
export const scaleSample = ({ n, mean, variance }: Sample, k: number): Sample => ({
  n,
  mean: mean * k,
  variance: variance * k * k,
});

/** A constant on top of every value. */
export const shiftSample = (sample: Sample, by: number): Sample => ({
  ...sample,
  mean: sample.mean + by,
});

/** The metric in another unit, beside the covariate as it was. */
export const scaleCuped = (arm: CupedArm, k: number): CupedArm => ({
  ...arm,
  meanY: arm.meanY * k,
  varY: arm.varY * k * k,
  covXY: arm.covXY * k,
});
/** The metric plus so much of the covariate, which the adjustment takes away again. */
export const addCovariate = (arm: CupedArm, k: number): CupedArm => ({
  ...arm,
  meanY: arm.meanY + k * arm.meanX,
  varY: arm.varY + 2 * k * arm.covXY + k * k * arm.varX,
  covXY: arm.covXY + k * arm.varX,
});

/** An arm of one covariate as one of a list of them. */
export const toVectors = ({ n, meanY, varY, meanX, varX, covXY }: CupedArm): CovariateArm => ({
  n,
  meanY,
  varY,
  meanX: [meanX],
  covX: [[varX]],
  covXY: [covXY],
});
/** The metric in another unit, beside covariates as they were. */
export const scaleVectors = (arm: CovariateArm, k: number): CovariateArm => ({
  ...arm,
  meanY: arm.meanY * k,
  varY: arm.varY * k * k,
  covXY: arm.covXY.map((covariance) => covariance * k),
});
/** The metric plus so much of its only covariate. */
export const addFirst = (arm: CovariateArm, k: number): CovariateArm =>
  toVectors(
    addCovariate(
      {
        ...arm,
        meanX: arm.meanX[0] ?? 0,
        varX: arm.covX[0]?.[0] ?? 0,
        covXY: arm.covXY[0] ?? 0,
      },
      k,
    ),
  );

/** The numerator in another unit. */
export const scaleRatio = (sums: RatioSums, k: number): RatioSums => ({
  ...sums,
  sumNumerator: sums.sumNumerator * k,
  sumNumeratorSquares: sums.sumNumeratorSquares * k * k,
  sumProduct: sums.sumProduct * k,
});
/** The numerator plus so much of the denominator: a constant on top of the ratio. */
export const addDenominator = (sums: RatioSums, k: number): RatioSums => ({
  ...sums,
  sumNumerator: sums.sumNumerator + k * sums.sumDenominator,
  sumNumeratorSquares:
    sums.sumNumeratorSquares + 2 * k * sums.sumProduct + k * k * sums.sumDenominatorSquares,
  sumProduct: sums.sumProduct + k * sums.sumDenominatorSquares,
});
/** The numerator `own` times, and so much of the denominator; the ratio before exposure as it was. */
export function changeNumerator(
  arm: CupedRatioArm,
  own: number,
  denominator: number,
): CupedRatioArm {
  const changed = ([y = 0, d = 0, ...before]: readonly number[]): readonly number[] => [
    own * y + denominator * d,
    d,
    ...before,
  ];
  const [y = [], d = [], ...before] = arm.cov.map(changed);
  const first = y.map((covariance, j) => own * covariance + denominator * (d[j] ?? 0));
  return { ...arm, means: changed(arm.means), cov: [first, d, ...before] };
}
