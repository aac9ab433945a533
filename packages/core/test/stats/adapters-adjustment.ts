import {
  type AdjustedDifference,
  cupedDifference,
  cupedMultiple,
  cupedRatioDifference,
  interactedDifference,
  postStratifiedDifference,
} from '../../src/stats/index.ts';
import { type Adapters, type Answer, answer, flagOf } from './adapter.ts';

const adjusted = ({ treatment, control, lift, flags, ...test }: AdjustedDifference): Answer => ({
  ...test,
  adjustedMeanTreatment: treatment.mean,
  adjustedMeanControl: control.mean,
  adjustedVarianceTreatment: treatment.variance,
  adjustedVarianceControl: control.variance,
  adjustedRatioTreatment: treatment.mean,
  adjustedRatioControl: control.mean,
  unitVarianceTreatment: treatment.variance,
  unitVarianceControl: control.variance,
  flag: flagOf(flags),
  ...(lift.status === 'ok'
    ? { lift: lift.lift, liftFiellerLower: lift.lower, liftFiellerUpper: lift.upper }
    : {}),
});

export const ADJUSTMENT: Adapters = {
  'cuped.single': ({ treatment, control, alpha }) =>
    answer(cupedDifference(treatment, control, alpha), adjusted),
  'cuped.multiPooled': ({ treatment, control, alpha }) =>
    answer(cupedMultiple(treatment, control, alpha), adjusted),
  'cuped.regressionInteracted': ({ treatment, control, alpha }) =>
    answer(interactedDifference(treatment, control, alpha)),
  'cuped.ratio': ({ treatment, control, alpha }) =>
    answer(cupedRatioDifference(treatment, control, alpha), adjusted),
  postStratification: ({ strata, alpha }) =>
    answer(postStratifiedDifference(strata, alpha), ({ lift, ...test }) => ({
      ...test,
      lift: lift?.lift,
      liftFiellerLower: lift?.lower,
      liftFiellerUpper: lift?.upper,
    })),
};
