import type { JointMoments } from '../stats/joint-moments.ts';
import type { Flag, RefusalCode } from '../stats/outcome.ts';

// What the analysis of an experiment takes and gives. All sums are over the assigned users of an
// arm, users without events included as zeros.

/** Users of whom each has a value of 0 or 1. */
export interface RateData {
  readonly kind: 'rate';
  readonly n: number;
  readonly x: number;
  /** Of [y, covariate]; null without a covariate. */
  readonly joint: JointMoments | null;
}

/** A value per user. */
export interface MeanData {
  readonly kind: 'mean';
  /** Σ y, summed as it is: what a reader is shown. */
  readonly total: number;
  /** Of [y], or of [y, covariate]. */
  readonly moments: JointMoments;
}

/** A numerator and a denominator per user. */
export interface RatioData {
  readonly kind: 'ratio';
  readonly numerator: number;
  readonly denominator: number;
  /**
   * A ratio R near those of all arms. The moments are of [y − R·d, d], and with a covariate of
   * [y − R·d, d, x − Q·m, m]: residuals keep the digits that y and d would cancel.
   */
  readonly about: number;
  /** Q; 0 without a covariate. */
  readonly aboutBefore: number;
  readonly moments: JointMoments;
}

/** Events of which a quantile is taken; users are their clusters. */
export interface QuantileData {
  readonly kind: 'quantile';
  readonly p: number;
  readonly users: number;
  /** Users with at least one of the events. */
  readonly clusters: number;
  /** Events with a value. */
  readonly events: number;
  /** Type 7; null without events. */
  readonly value: number | null;
  /** The values at the normal ranks of `orderStatisticRanks(events, p, alpha)`. */
  readonly lower: number | null;
  readonly upper: number | null;
  /** Over users with events: `below` are those at or below `value`. */
  readonly sums: {
    readonly below: number;
    readonly belowSquares: number;
    readonly eventsSquares: number;
    readonly product: number;
  };
}

/** The sufficient statistics of one metric in one arm. */
export type ArmData = RateData | MeanData | RatioData | QuantileData;

export type AnalysisMethod = 'fixed' | 'sequential' | 'bayesian';
export type MetricRole = 'goal' | 'secondary' | 'guardrail';
export type Direction = 'increase' | 'decrease';

export interface AnalysisArm {
  readonly key: string;
  readonly isControl: boolean;
  readonly users: number;
}

export interface AnalysisMetric {
  readonly key: string;
  readonly role: MetricRole;
  /** Of a guardrail: how much worse, relative to the control, is still harmless; null: none is given. */
  readonly margin: number | null;
  /** Which direction is good. */
  readonly direction: Direction;
  /** One entry for each arm, in the order of the arms, all of one kind. */
  readonly data: readonly ArmData[];
}

/** How an experiment is analysed; fixed before anybody looks. */
export interface AnalysisOptions {
  readonly method: AnalysisMethod;
  /** Two-sided. */
  readonly alpha: number;
  /** An arm with fewer users decides nothing. */
  readonly minSample: number;
  /** Users of all arms together at the planned end; null without a plan. */
  readonly plannedUsers: number | null;
  /** No further users or events will come: the last look. */
  readonly isOver: boolean;
  /**
   * The end was set beforehand and came, so that it did not depend on what was seen. Only then may the
   * last look of a plan that was not fulfilled spend the error that is left; who stops when a result
   * looks good has had all looks the boundary allows. False when absent.
   */
  readonly endedAsPlanned?: boolean;
}

export interface AnalysisInput {
  /** One of them is the control. */
  readonly arms: readonly AnalysisArm[];
  /** Of all that are counted, where the arms are a part of them such as a segment; else theirs. */
  readonly countedUsers?: number;
  readonly metrics: readonly AnalysisMetric[];
  readonly options: AnalysisOptions;
}

/** A number that could not be computed, or must not be shown, is null. */
type Maybe = number | null;

/** One metric in one arm, by itself. */
export interface ArmEstimate {
  readonly value: Maybe;
  /** Users; of a ratio what its denominator counts, of a quantile its events. */
  readonly sampleSize: number;
  readonly numerator: Maybe;
  readonly denominator: Maybe;
  /** Of the arm's own values, by every method; null where they do not vary. */
  readonly standardError: Maybe;
  /**
   * Of the arm alone: by a sequential method at all looks together, and null before its release; by
   * the others at one look.
   */
  readonly lower: Maybe;
  readonly upper: Maybe;
}

/** Names of the tests, as they are shown. */
export type TestName =
  | 'miettinen_nurminen'
  | 'welch'
  | 'welch_delta'
  | 'order_statistics'
  | 'confidence_sequence'
  | 'group_sequential'
  | 'bayes_normal';

/** What an adjustment by a covariate did. */
export interface CupedNote {
  readonly theta: number;
  /** Share of the variance that is gone, 0…1. */
  readonly varianceReduction: number;
  readonly unadjustedDifference: Maybe;
  readonly unadjustedStandardError: Maybe;
}

/** Whether a guardrail holds. */
export interface GuardrailVerdict {
  /** Relative; null without one, when only a significant deterioration fails. */
  readonly margin: Maybe;
  /** One-sided: small when the treatment is not worse by the margin; null for a Bayesian method. */
  readonly pValue: Maybe;
  /** That the margin holds; null for other methods. */
  readonly chance: Maybe;
  readonly verdict: 'passed' | 'failed' | 'undecided';
}

/** One metric of a treatment against the control. Intervals are at the level of the options. */
export interface Comparison {
  readonly status: 'ok' | RefusalCode;
  readonly test: TestName | null;
  readonly difference: Maybe;
  readonly standardError: Maybe;
  /** Null where an end is infinite. */
  readonly lower: Maybe;
  readonly upper: Maybe;
  /** A fraction. */
  readonly lift: Maybe;
  readonly liftLower: Maybe;
  readonly liftUpper: Maybe;
  /** Null for a method that has none. */
  readonly pValue: Maybe;
  /** Within its family; null outside of one. */
  readonly pValueAdjusted: Maybe;
  readonly chanceToWin: Maybe;
  /** Of choosing the treatment, in units of the effect's lift, or of the difference without one. */
  readonly expectedLoss: Maybe;
  /** A verdict: of enough users, adjusted, and released by the method. */
  readonly significant: boolean;
  /** In the metric's good direction; null without a significant difference. */
  readonly isBetter: boolean | null;
  /**
   * The effect, relative to the control, that the present precision finds with a power of 80 %, by the
   * critical value of the method at this look.
   */
  readonly detectableEffect: Maybe;
  /** Why nothing is decided that more users or the planned end could decide. */
  readonly pending: 'not_released' | 'before_planned_end' | 'insufficient_users' | null;
  readonly guardrail: GuardrailVerdict | null;
  readonly cuped: CupedNote | null;
  readonly flags: readonly Flag[];
}

export interface AnalysedMetric {
  readonly key: string;
  readonly role: MetricRole;
  readonly direction: Direction;
  /** One entry for each arm. */
  readonly arms: readonly ArmEstimate[];
  /** One entry for each arm; null for the control. */
  readonly comparisons: readonly (Comparison | null)[];
}

export interface Analysis {
  readonly metrics: readonly AnalysedMetric[];
  /** No further look is needed: the experiment is over, or its planned users are there. */
  readonly isFinal: boolean;
  /** Users over the planned ones, above 1 beyond the plan; null without a plan. */
  readonly informationFraction: Maybe;
}
