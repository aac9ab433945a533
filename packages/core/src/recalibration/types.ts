import type { AnalysisOptions, ArmData, Direction } from '../analysis/types.ts';

// Splitting an installation's own users anew, by the hash that assigns them, into arms between which
// nothing differs: what a method of analysis then finds are its errors.

/** A number, or a few, of each user. */
export interface ValuesOfUsers {
  readonly kind: 'rate' | 'mean' | 'ratio';
  readonly key: string;
  readonly direction: Direction;
  /**
   * User by user, in the order of the ids: [y] of a rate (0 or 1) and a mean, [y, d] of a ratio, and
   * twice as many with a covariate, whose part comes second: [y, x], [y, d, x, m].
   */
  readonly values: Float64Array;
  readonly hasCovariate: boolean;
}

/** The events of a quantile. */
export interface EventsOfUsers {
  readonly kind: 'quantile';
  readonly key: string;
  readonly direction: Direction;
  /** 0 < p < 1. */
  readonly p: number;
  /** Only so many users, from the first on, are looked at. */
  readonly users: number;
  /** Ascending. */
  readonly values: Float64Array;
  /** Whose each event is: a place in the ids, below `users`. */
  readonly owners: Uint32Array;
}

export type MetricOfUsers = ValuesOfUsers | EventsOfUsers;

/** Users and what they did, without regard to their variants. */
export interface Population {
  readonly ids: readonly string[];
  readonly metrics: readonly MetricOfUsers[];
}

export interface RecalibrationOptions {
  /** How each split is analysed, as if all of its users were all there are. */
  readonly analysis: Pick<AnalysisOptions, 'method' | 'alpha' | 'plannedUsers'>;
  /** How many times users are split, ≥ 1. */
  readonly splits: number;
  /** Buckets of the control, 1 … 9999; the others are the treatment's. */
  readonly controlBuckets: number;
  /** Equal seeds, equal splits. */
  readonly seed: string;
}

/** What is concluded from two arms, the control and the treatment. Ends are null where infinite. */
export interface Finding {
  /** A difference was found, at the level of the analysis and without adjustment for other metrics. */
  readonly isRejected: boolean;
  /** Null for a method that has none. */
  readonly pValue: number | null;
  /** Of the difference. */
  readonly lower: number | null;
  readonly upper: number | null;
  /** Of each arm alone. */
  readonly arms: readonly ArmFinding[];
}

interface ArmFinding {
  readonly value: number | null;
  readonly lower: number | null;
  readonly upper: number | null;
}

/** Null where nothing is concluded: refused, or not released yet. */
export type Conclude = (
  metric: Pick<MetricOfUsers, 'key' | 'direction'>,
  arms: readonly [control: ArmData, treatment: ArmData],
) => Finding | null;

/** How often a method is wrong about one metric when nothing differs. Rates are 0 … 1. */
export interface MetricCalibration {
  readonly key: string;
  /** Users that were split. */
  readonly users: number;
  /** Of the splits, those that allowed a conclusion. All rates are of these. */
  readonly concluded: number;
  /** Null without a conclusion. */
  readonly falsePositiveRate: number | null;
  /** Where the rate lies, but for one calibration in a thousand, if the method keeps its level. */
  readonly acceptance: { readonly low: number; readonly high: number } | null;
  /** How often the interval of the difference held 0. */
  readonly coverage: number | null;
  /**
   * How often the interval of an arm held the value of all users, whom the arm is a part of. Null for
   * quantiles, which jump from one value of all users to the next.
   */
  readonly armCoverage: number | null;
  /**
   * Of Kolmogorov & Smirnov's test that p-values are uniform; null where they need not be: a method
   * for many looks or without p-values, quantiles, and p-values that repeat, as those of few users do.
   */
  readonly uniformityPValue: number | null;
  /** `none`: no split allowed a conclusion. */
  readonly status: 'ok' | 'outside' | 'none';
}
