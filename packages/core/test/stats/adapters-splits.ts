import {
  adjustPValues,
  binomialExact,
  bonferroniInterval,
  chiSquareSrm,
  countRejected,
  intervalLevels,
  nonInferiorityAbsolute,
  nonInferiorityProportion,
  nonInferiorityRelative,
  sequentialSrm,
  varyingWeightsSrm,
} from '../../src/stats/index.ts';
import { type Adapters, answer } from './adapter.ts';

export const SPLITS: Adapters = {
  'srm.chiSquare': ({ counts, weights }) => answer(chiSquareSrm(counts, weights)),
  'srm.binomialExact': ({ countTreatment, total, expectedShare }) =>
    answer(binomialExact(countTreatment, total, expectedShare)),
  'srm.varyingWeights': ({ periods }) => answer(varyingWeightsSrm(periods)),
  'srm.sequentialMultinomial': ({ cumulativeCounts, weights, concentration }) =>
    answer(sequentialSrm(cumulativeCounts, weights, concentration)),
  'multipleTesting.adjust': ({ pValues, alpha }) => {
    const benjaminiHochberg = adjustPValues(pValues, 'benjaminiHochberg');
    const levels = intervalLevels(pValues, alpha);
    return {
      bonferroni: adjustPValues(pValues, 'bonferroni'),
      holm: adjustPValues(pValues, 'holm'),
      hochberg: adjustPValues(pValues, 'hochberg'),
      benjaminiHochberg,
      benjaminiYekutieli: adjustPValues(pValues, 'benjaminiYekutieli'),
      rejectedBH: countRejected(benjaminiHochberg, alpha),
      ciAlphaBonferroni: levels?.bonferroni,
      ciAlphaFcr: levels?.falseCoverageRate,
    };
  },
  'multipleTesting.bonferroniInterval': ({ comparisons, alpha, ...estimate }) =>
    answer(bonferroniInterval(estimate, comparisons, alpha)),
  'nonInferiority.absolute': ({ treatment, control, ...options }) =>
    answer(nonInferiorityAbsolute(treatment, control, options)),
  'nonInferiority.relative': ({ treatment, control, relativeMargin, ...options }) =>
    answer(nonInferiorityRelative(treatment, control, { ...options, margin: relativeMargin })),
  'nonInferiority.proportionScore': ({ treatment, control, ...options }) =>
    answer(nonInferiorityProportion(treatment, control, options)),
};
