import type { PlanningQuestions, Questions } from './answers.ts';
import * as anytimeT from './anytime-t.ts';
import * as banditPeriods from './bandit-periods.ts';
import * as betaBinomial from './bayes-beta-binomial.ts';
import * as bayesNormal from './bayes-normal.ts';
import * as clopperPearson from './clopper-pearson.ts';
import * as confidenceSequence from './confidence-sequence.ts';
import * as cuped from './cuped.ts';
import * as cupedMultiple from './cuped-multiple.ts';
import * as cupedRatio from './cuped-ratio.ts';
import * as deltaLift from './delta-lift.ts';
import * as fiellerLift from './fieller-lift.ts';
import * as fisher from './fisher.ts';
import * as interacted from './interacted.ts';
import * as ipwMean from './ipw-mean.ts';
import * as katzLift from './katz-lift.ts';
import * as logLift from './log-lift.ts';
import * as miettinenNurminen from './miettinen-nurminen.ts';
import * as msprt from './msprt.ts';
import * as newcombe from './newcombe.ts';
import * as nonInferiorityAbsolute from './non-inferiority-absolute.ts';
import * as nonInferiorityProportion from './non-inferiority-proportion.ts';
import * as nonInferiorityRelative from './non-inferiority-relative.ts';
import * as oneMean from './one-mean.ts';
import * as poissonRate from './poisson-rate.ts';
import * as postStratification from './post-stratification.ts';
import * as quantileDifference from './quantile-difference.ts';
import * as ratio from './ratio.ts';
import * as scoreLift from './score-lift.ts';
import * as srmBinomial from './srm-binomial.ts';
import * as srmChiSquare from './srm-chi-square.ts';
import * as srmSequential from './srm-sequential.ts';
import * as srmVaryingWeights from './srm-varying-weights.ts';
import * as welch from './welch.ts';
import * as wilson from './wilson.ts';
import * as zTest from './z-test.ts';

/**
 * Every test by the specification's name of its method (the parts of `mean.lift` by theirs), with the
 * questions that make sense for it under the same names: `TESTS['mean.welch'].interval(arms, 0.05)`.
 * The functions that compute all numbers of a test at once are what these ask.
 *
 * This is for those who take the statistics as a library and want one number of a test, and for the
 * table of claims, which holds of every test what holds of all; results are computed by the functions.
 */
export const TESTS = {
  'proportion.wilson': wilson,
  'proportion.clopperPearson': clopperPearson,
  'proportion.diff.newcombe': newcombe,
  'proportion.diff.miettinenNurminen': miettinenNurminen,
  'proportion.zTest': zTest,
  'proportion.fisherExact': fisher,
  'proportion.lift.score': scoreLift,
  'proportion.lift.log': katzLift,
  'mean.oneArm': oneMean,
  'mean.welch': welch,
  'mean.lift.fieller': fiellerLift,
  'mean.lift.delta': deltaLift,
  'mean.lift.log': logLift,
  'ratio.delta': ratio,
  'count.poissonRateExact': poissonRate,
  'quantile.difference': quantileDifference,
  'cuped.single': cuped,
  'cuped.multiPooled': cupedMultiple,
  'cuped.ratio': cupedRatio,
  'cuped.regressionInteracted': interacted,
  postStratification,
  'nonInferiority.absolute': nonInferiorityAbsolute,
  'nonInferiority.relative': nonInferiorityRelative,
  'nonInferiority.proportionScore': nonInferiorityProportion,
  'sequential.asymptoticConfidenceSequence': confidenceSequence,
  'sequential.msprt': msprt,
  'sequential.anytimeValidT': anytimeT,
  'bayes.normal': bayesNormal,
  'bayes.betaBinomial': betaBinomial,
  'bandit.periodStratified': banditPeriods,
  'bandit.ipwMean': ipwMean,
  'srm.chiSquare': srmChiSquare,
  'srm.binomialExact': srmBinomial,
  'srm.varyingWeights': srmVaryingWeights,
  'srm.sequentialMultinomial': srmSequential,
} as const satisfies Readonly<Record<string, Questions<never> & PlanningQuestions<never, never>>>;
