// Every public name of the statistics, concept by concept. The specification is in spec/statistics.

export type { AdjustedDifference, CovariateArm } from './adjustment/arms.ts';
export { covariateArm } from './adjustment/arms.ts';
export {
  type CupedArm,
  type CupedDifference,
  type CupedMultiple,
  cupedDifference,
  cupedMultiple,
} from './adjustment/cuped.ts';
export {
  type CupedRatioArm,
  type CupedRatioDifference,
  cupedRatioArm,
  cupedRatioDifference,
} from './adjustment/cuped-ratio.ts';
export { type InteractedDifference, interactedDifference } from './adjustment/interacted.ts';
export {
  type PostStratified,
  postStratifiedDifference,
  type Stratum,
} from './adjustment/post-stratification.ts';
export { type IpwMean, ipwMean, type PropensityBatch } from './bandits/ipw-mean.ts';
export { type PeriodStratified, periodStratifiedDifference } from './bandits/period-stratified.ts';
export {
  applyFloor,
  type BanditWeights,
  epsilonGreedyWeights,
  topTwoWeights,
} from './bandits/weights.ts';
export { type BetaBinomial, betaBinomial } from './bayes/beta-binomial.ts';
export { type BetaCredibleInterval, betaCredibleInterval } from './bayes/beta-interval.ts';
export { type BetaPrior, UNIFORM_PRIOR } from './bayes/beta-law.ts';
export {
  type BayesNormal,
  type BayesNormalOptions,
  bayesNormal,
  LIFT_PRIOR,
  type NormalPrior,
  scalePrior,
} from './bayes/normal.ts';
export { type ProbBest, probBestBeta, probBestNormal } from './bayes/prob-best.ts';
export { type EventCount, poissonRateRatio, type RateRatio } from './counts/poisson-rate.ts';
export {
  betaCdf,
  betaIsf,
  betaLogCdf,
  betaLogSf,
  betaQuantile,
  betaSf,
} from './distributions/beta.ts';
export {
  binomialCdf,
  binomialIsf,
  binomialLogCdf,
  binomialLogPmf,
  binomialLogSf,
  binomialPmf,
  binomialQuantile,
  binomialSf,
} from './distributions/binomial.ts';
export {
  chiSquareCdf,
  chiSquareIsf,
  chiSquareLogCdf,
  chiSquareLogSf,
  chiSquareQuantile,
  chiSquareSf,
} from './distributions/chi-square.ts';
export { logGamma } from './distributions/gamma.ts';
export { lambertWm1 } from './distributions/lambert.ts';
export {
  nonCentralTCdf,
  nonCentralTIsf,
  nonCentralTLogCdf,
  nonCentralTLogSf,
  nonCentralTQuantile,
  nonCentralTSf,
} from './distributions/noncentral-t.ts';
export {
  normalCdf,
  normalIsf,
  normalLogCdf,
  normalLogSf,
  normalLoss,
  normalPdf,
  normalQuantile,
  normalSf,
} from './distributions/normal.ts';
export { tCdf, tIsf, tLogCdf, tLogSf, tQuantile, tSf } from './distributions/student.ts';
export {
  covarianceOf,
  type JointMoments,
  jointMomentsFromSums,
  mergeJointMoments,
} from './joint-moments.ts';
export {
  type DeltaLift,
  deltaLift,
  type EstimatePair,
  fiellerInterval,
  fiellerLift,
  type LiftRemainder,
  type LogLift,
  logLift,
  type MeanLift,
} from './means/lift.ts';
export { type RatioSample, type RatioSums, ratioOfMoments, ratioSample } from './means/ratio.ts';
export {
  type MeanDifference,
  type MeanInterval,
  meanInterval,
  type Sample,
  unitsForSkewness,
  welchDifference,
} from './means/welch.ts';
export { capAt, type Winsorized, winsorizeUpper } from './means/winsorize.ts';
export { type Moments, mergeMoments, momentsFromSums, varianceOf } from './moments.ts';
export {
  type Adjustment,
  adjustPValues,
  adjustWeighted,
  bonferroniInterval,
  type ComparedEstimate,
  countRejected,
  holmAdjust,
  type IntervalLevels,
  intervalLevels,
  type PValues,
} from './multiple-testing.ts';
export {
  type AbsoluteNonInferiority,
  type NonInferiority,
  type NonInferiorityOptions,
  nonInferiorityAbsolute,
  nonInferiorityProportion,
  nonInferiorityRelative,
  type ScoreNonInferiority,
} from './non-inferiority.ts';
export type { Matrix, Vector } from './numeric/linear-algebra.ts';
export type { Flag, Outcome, RefusalCode } from './outcome.ts';
export {
  currentMde,
  type MeanMde,
  type MeanSampleSize,
  meanMde,
  meanPower,
  meanSampleSize,
  type PlannedMean,
  type TPower,
} from './power/mean.ts';
export type { PowerOptions } from './power/options.ts';
export {
  type Duration,
  experimentDuration,
  guardrailPower,
  type MultiArmSampleSize,
  multiArmSampleSize,
  type NonInferioritySampleSize,
  nonInferioritySampleSize,
  type PlannedRatio,
  type RatioSampleSize,
  ratioSampleSize,
  type SequenceSampleSize,
  sequenceSampleSize,
} from './power/plans.ts';
export {
  type ProportionMde,
  type ProportionPower,
  type ProportionSampleSize,
  proportionMde,
  proportionPower,
  proportionSampleSize,
} from './power/proportion.ts';
export { clopperPearsonInterval } from './proportions/clopper-pearson.ts';
export { type FisherTest, fisherTest } from './proportions/fisher.ts';
export { type LogRateLift, logRateLift } from './proportions/katz-lift.ts';
export { newcombeDifference, type RateDifferenceInterval } from './proportions/newcombe.ts';
export {
  constrainedRates,
  type RateDifference,
  scoreDifference,
} from './proportions/score-difference.ts';
export { type RateLift, scoreLift } from './proportions/score-lift.ts';
export { type Proportion, type RateInterval, wilsonInterval } from './proportions/wilson.ts';
export { type ZDifference, zDifference } from './proportions/z-difference.ts';
export {
  type ClusteredQuantile,
  type QuantileError,
  type QuantileEstimate,
  quantileDifference,
  quantileError,
} from './quantiles/clustered.ts';
export {
  orderStatisticRanks,
  type QuantileRanks,
  sampleQuantile,
} from './quantiles/order-statistics.ts';
export type {
  Alternative,
  Arms,
  Interval,
  PlanningQuestions,
  Questions,
  Value,
} from './questions/answers.ts';
export { TESTS } from './questions/registry.ts';
export { type AnytimeT, anytimeValidT, type TStatistic } from './sequential/anytime-t.ts';
export {
  type ConfidenceSequence,
  confidenceSequence,
  monitorSequence,
  type SequenceMonitor,
  type SequenceOptions,
  type SequentialEstimate,
  TUNING_N_DEFAULT,
  tuneRho,
} from './sequential/confidence-sequence.ts';
export {
  type GroupSequentialBoundary,
  type GroupSequentialOptions,
  groupSequentialBoundary,
} from './sequential/group-sequential.ts';
export {
  type GroupSequentialDesign,
  groupSequentialDesign,
} from './sequential/group-sequential-design.ts';
export {
  type GroupSequentialLook,
  type GroupSequentialMonitor,
  type MonitorOptions,
  monitorGroupSequential,
} from './sequential/group-sequential-monitor.ts';
export { type Msprt, msprt } from './sequential/msprt.ts';
export {
  type ArmProgress,
  isArmReleasable,
  type RobustError,
  robustStandardError,
} from './sequential/release.ts';
export { type Spending, spentAlpha } from './sequential/spending.ts';
export { binomialExact } from './srm/binomial.ts';
export {
  type ChiSquareSrm,
  chiSquareSrm,
  type SrmLevel,
  type SrmTest,
  srmLevel,
  srmTest,
} from './srm/chi-square.ts';
export { type SrmContribution, srmContributions, srmTrend } from './srm/contributions.ts';
export {
  type PeriodLooks,
  type PeriodsSequentialSrm,
  periodsSequentialSrm,
  periodsSrm,
} from './srm/periods.ts';
export { type SequentialSrm, sequentialSrm } from './srm/sequential.ts';
export {
  type VaryingWeightsSrm,
  varyingWeightsSrm,
  type WeightPeriod,
} from './srm/varying-weights.ts';
export { type AcceptanceBand, binomialAcceptance } from './validation/binomial-acceptance.ts';
export { type KsTest, ksUniform } from './validation/kolmogorov-smirnov.ts';
export { naivePeeking } from './validation/peeking.ts';
