export {
  betaCdf,
  betaQuantile,
  betaSf,
  binomialCdf,
  binomialPmf,
} from './distributions/beta.ts';
export { chiSquareSf, logGamma } from './distributions/gamma.ts';
export {
  normalCdf,
  normalIsf,
  normalLogCdf,
  normalLogSf,
  normalPdf,
  normalQuantile,
  normalSf,
} from './distributions/normal.ts';
export { tCdf, tIsf, tQuantile, tSf } from './distributions/student.ts';
export { type RatioSums, ratioSample } from './means/ratio.ts';
export {
  fiellerLift,
  type MeanDifference,
  type MeanLift,
  meanInterval,
  type Sample,
  welchDifference,
} from './means/welch.ts';
export { type Moments, mergeMoments, momentsFromSums, varianceOf } from './moments.ts';
export { holmAdjust } from './multiple-testing.ts';
export type { Flag, Outcome, RefusalCode } from './outcome.ts';
export { currentMde, meanMde, type ProportionMde, proportionMde } from './power.ts';
export {
  constrainedRates,
  type RateDifference,
  scoreDifference,
} from './proportions/score-difference.ts';
export { type RateLift, scoreLift } from './proportions/score-lift.ts';
export { type Proportion, type RateInterval, wilsonInterval } from './proportions/wilson.ts';
export { binomialExact, chiSquareSrm, type SrmTest, srmTest } from './srm.ts';
