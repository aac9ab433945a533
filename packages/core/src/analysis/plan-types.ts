import type { PlannedRatio } from '../stats/index.ts';
import type { Recruitment, RunningTime } from './recruitment.ts';
import type { AnalysisMethod } from './types.ts';

export type PlannedKind =
  | 'conversion'
  | 'retention'
  | 'funnel'
  | 'count'
  | 'sum'
  | 'mean'
  | 'ratio'
  | 'quantile';

/** Of numerator and denominator, per user. */
export type RatioMoments = Pick<
  PlannedRatio,
  'meanNumerator' | 'meanDenominator' | 'varNumerator' | 'varDenominator' | 'covariance'
>;

/** An experiment that is yet to be run. */
export interface PlanInput {
  readonly kind: PlannedKind;
  /** What the control has: a rate, a mean, a ratio or a quantile. */
  readonly baseline: number;
  /**
   * Of one user. Of a ratio or mean: by the delta method, see `ratioBaseline`; of a quantile: its
   * standard error times √users. Null for a rate, whose baseline says it.
   */
  readonly deviation: number | null;
  /**
   * Of a goal: the effect to be found, not 0. Of a guardrail: the effect that the treatment is
   * expected to have, above 0 where it is good.
   */
  readonly effect: { readonly type: 'relative' | 'absolute'; readonly value: number };
  /** Of a guardrail, relative: how much worse is still harmless. Null for a goal. */
  readonly margin: number | null;
  /** Two-sided for a goal, one-sided for a guardrail. */
  readonly alpha: number;
  /** The chance to find the effect, and that all guardrails pass with it. */
  readonly power: number;
  /** Shares of the control and then the treatments, of any sum. */
  readonly allocation: readonly number[];
  readonly method: AnalysisMethod;
  /** Of a sequential experiment: whether its size is planned, so that it ends there at the latest. */
  readonly isPlanned: boolean;
  /** Of the metric with its covariate, −1…1; 0 without CUPED. */
  readonly cupedCorrelation: number;
  /** Goals that share the level, ≥ 1. */
  readonly goals: number;
  /** Guardrails that all must pass, ≥ 0; with itself for a guardrail. */
  readonly guardrails: number;
  /** Null: unknown. */
  readonly recruitment: Recruitment | null;
  readonly minimumDays: number;
}

/** What the method makes of the data when it decides. */
export type PlanDesign = 'fixed_horizon' | 'group_sequential' | 'confidence_sequence';

/** The smallest effect that so many users find; with a guardrail, the smallest margin that they prove. */
export interface CurvePoint {
  /** Null without recruitment. */
  readonly days: number | null;
  readonly users: number;
  /** With the sign of the planned effect. Null where no effect is large enough. */
  readonly absolute: number | null;
  /** Null for a baseline of 0 too. */
  readonly relative: number | null;
}

/** What to keep in mind beside numbers that are given all the same. */
export type PlanCaution = 'small_sample' | 'rare_outcomes' | 'as_fixed' | 'never_reached';

export interface Plan {
  readonly design: PlanDesign;
  readonly sided: 1 | 2;
  /** Bonferroni's, over goals × treatments; a guardrail's is not shared. */
  readonly alphaPerComparison: number;
  /** Higher than the power wanted when guardrails must pass too. */
  readonly powerPerMetric: number;
  readonly effectAbsolute: number;
  readonly effectRelative: number | null;
  /** Whole users, the control first. */
  readonly usersPerArm: readonly number[];
  readonly totalUsers: number;
  /** Users over those of one look at the end. */
  readonly inflation: number;
  /** What CUPED leaves of the variance. */
  readonly varianceMultiplier: number;
  /** The control's share with which the comparisons are most precise (Dunnett 1955). */
  readonly optimalControlShare: number;
  /** Null without recruitment, or when it ends before. */
  readonly runningTime: RunningTime | null;
  /** Twelve points: weeks, or without recruitment quarters of the size. */
  readonly curve: readonly CurvePoint[];
  readonly cautions: readonly PlanCaution[];
}

/** Why there is no plan. `change` says in words what would give one. */
export interface PlanRefusal {
  readonly status:
    | 'INVALID_INPUT'
    | 'ZERO_BASELINE'
    | 'ZERO_VARIANCE'
    | 'ZERO_DENOMINATOR'
    | 'NO_DEVIATION'
    | 'OUT_OF_RANGE'
    | 'NO_ROOM'
    | 'TOO_MANY_USERS';
  readonly field: keyof PlanInput;
  readonly change: string;
}

/** Whether a metric is a share of the users. */
export const isRateKind = (kind: PlannedKind): boolean =>
  kind === 'conversion' || kind === 'retention' || kind === 'funnel';
