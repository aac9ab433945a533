// Every public name of the analysis.

export { analyse } from './analyse.ts';
export { usersOf } from './arm-sample.ts';
export { minimumDetectableEffect } from './detectable-effect.ts';
export { adjustFamily } from './families.ts';
export { shownPValue } from './measured.ts';
export { plan, ratioBaseline } from './plan.ts';
export * from './plan-types.ts';
export { type PrePeriodTest, prePeriodTests } from './pre-period.ts';
export {
  type DecisionInput,
  type HealthBlock,
  type Recommendation,
  recommend,
  type SrmStatus,
} from './recommend.ts';
export type { Recruitment, RunningTime } from './recruitment.ts';
export { isRounding } from './rounding.ts';
export type {
  AnalysedMetric,
  Analysis,
  AnalysisArm,
  AnalysisInput,
  AnalysisMethod,
  AnalysisMetric,
  AnalysisOptions,
  ArmData,
  ArmEstimate,
  Comparison,
  CupedNote,
  Direction,
  GuardrailVerdict,
  MeanData,
  MetricRole,
  QuantileData,
  RateData,
  RatioData,
  TestName,
} from './types.ts';
