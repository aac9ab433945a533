import {
  covarianceOf,
  covariateArm,
  cupedMultiple,
  cupedRatioArm,
  cupedRatioDifference,
  type JointMoments,
  type Proportion,
  ratioOfMoments,
  type Sample,
  scoreDifference,
  welchDifference,
} from '../src/stats/index.ts';
import type { Population } from './populations.ts';
import { ALPHA } from './study.ts';

// From the joint moments that populations draw to what the tests take.

/** Two arms, as joint moments of the population's values. */
export interface Arms {
  readonly treatment: JointMoments;
  readonly control: JointMoments;
}

/** An outcome's p-value; a refusal finds nothing. */
export const pOf = (outcome: { readonly status: string; readonly pValue?: number }): number =>
  outcome.status === 'ok' ? (outcome.pValue ?? Number.NaN) : 1;

/** Of a refusal: it does not cover. */
export const covers = (
  outcome: { readonly status: string; readonly lower?: number; readonly upper?: number },
  truth: number,
): boolean =>
  outcome.status === 'ok' &&
  (outcome.lower ?? Number.NaN) <= truth &&
  truth <= (outcome.upper ?? Number.NaN);

/** The metric of one arm without its covariate. */
export function sampleOf(population: Population, moments: JointMoments): Sample {
  const { n, mean, products } = moments;
  if (population.kind === 'ratio') {
    const ratio = ratioOfMoments({
      n,
      mean: mean.slice(0, 2),
      products: products.slice(0, 2).map((row) => row.slice(0, 2)),
    });
    return ratio.status === 'ok' ? ratio.sample : { n, mean: 0, variance: 0 };
  }
  return { n, mean: mean[0] ?? Number.NaN, variance: covarianceOf(moments)[0]?.[0] ?? Number.NaN };
}

export const proportionOf = ({ n, mean }: JointMoments): Proportion => ({
  n,
  x: Math.round(n * (mean[0] ?? Number.NaN)),
});

/** Both arms as samples that Welch's test takes. */
export const samplesOf = (
  population: Population,
  { treatment, control }: Arms,
): readonly [Sample, Sample] => [sampleOf(population, treatment), sampleOf(population, control)];

/** The comparison by Welch's test, for rates too. */
export const compareMeans = (population: Population, arms: Arms) =>
  welchDifference(...samplesOf(population, arms), ALPHA);

/** The comparison adjusted by the covariate. */
export const compareAdjusted = ({ kind }: Population, { treatment, control }: Arms) =>
  kind === 'ratio'
    ? cupedRatioDifference(cupedRatioArm(treatment), cupedRatioArm(control), ALPHA)
    : cupedMultiple(covariateArm(treatment), covariateArm(control), ALPHA);

/** The test that the engine takes for a kind of metric without a covariate. */
export const defaultPValue = (population: Population, arms: Arms): number =>
  population.kind === 'rate'
    ? pOf(scoreDifference(proportionOf(arms.treatment), proportionOf(arms.control), ALPHA))
    : pOf(compareMeans(population, arms));

/** An arm all of whose outcomes are multiplied, as by an effect. */
export function scaled({ n, mean, products }: JointMoments, factor: number): JointMoments {
  return {
    n,
    mean: mean.map((value, i) => (i === 0 ? value * factor : value)),
    products: products.map((row, i) =>
      row.map((product, j) => product * (i === 0 ? factor : 1) * (j === 0 ? factor : 1)),
    ),
  };
}
