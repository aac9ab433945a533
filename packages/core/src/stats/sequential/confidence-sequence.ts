import { lambertWm1FromLog } from '../distributions/lambert.ts';
import { type Flag, isLevel, isPositive, type Outcome, refuse } from '../outcome.ts';

/** An estimate of a difference at one look. */
export interface SequentialEstimate {
  readonly estimate: number;
  /** ≥ 0. */
  readonly se: number;
  /** Units of both arms together. */
  readonly n: number;
}

/** How a confidence sequence is set before the first look. */
export interface SequenceOptions {
  readonly alpha: number;
  /** The number of units at which the sequence is narrowest: the planned one, else 5000. */
  readonly tuningN: number;
  /** 2 when absent. */
  readonly sided?: 1 | 2;
  /** What a one-sided test looks for; 'greater' when absent. */
  readonly alternative?: 'greater' | 'less';
}

/** One look of a confidence sequence. */
export interface ConfidenceSequence {
  readonly rhoSquared: number;
  /** The estimate's distance from zero, in standard errors, that decides; beyond that of one look. */
  readonly zCritical: number;
  readonly halfWidth: number;
  readonly lower: number;
  readonly upper: number;
  /** Valid at any look. */
  readonly pValue: number;
}

/** The number of units to tune for when no number is planned. */
export const TUNING_N_DEFAULT = 5000;

/** Waudby-Smith et al.'s approximation of the ρ² below. @param logs −2·ln α */
const approximateRho = (logs: number, tuningN: number): number =>
  (logs + Math.log1p(logs)) / tuningN;

/**
 * ρ² that makes the two-sided sequence narrowest at `tuningN` units: Waudby-Smith et al.'s
 * approximation, which is what the sequence uses, and the exact value. Refuses INVALID_INPUT.
 *
 * @param alpha two-sided; twice the level for a one-sided sequence
 */
export function tuneRho(
  alpha: number,
  tuningN: number,
): Outcome<{ readonly approximate: number; readonly exact: number }> {
  if (!isLevel(alpha) || !isPositive(tuningN)) return refuse('INVALID_INPUT');
  const logs = -2 * Math.log(alpha);
  return {
    status: 'ok',
    approximate: approximateRho(logs, tuningN),
    exact: (-lambertWm1FromLog(-logs - 1) - 1) / tuningN,
  };
}

/** A confidence sequence before its first look: what each look asks of it, by its number of units. */
export interface SequenceBoundary {
  readonly rhoSquared: number;
  /** What |Z| must reach, or Z in a one-sided test; beyond that of one look. @param n > 0 */
  readonly zCritical: (n: number) => number;
  /** Valid at any look, and below alpha exactly when Z is beyond. @param n > 0 */
  readonly pValue: (z: number, n: number) => number;
}

/**
 * The boundary of `confidenceSequence`, for looks that have it in common; one-sided for estimates above
 * zero. Refuses INVALID_INPUT.
 */
export function sequenceBoundary({
  alpha,
  tuningN,
  sided = 2,
}: Omit<SequenceOptions, 'alternative'>): Outcome<SequenceBoundary> {
  const budget = sided === 1 ? 2 * alpha : alpha;
  if (!isLevel(alpha) || !isLevel(budget) || !isPositive(tuningN)) return refuse('INVALID_INPUT');
  const logs = -2 * Math.log(budget);
  const rhoSquared = approximateRho(logs, tuningN);
  /** What n units tell, relative to what the mixture assumes, and k of both together. */
  const at = (n: number) => ({ information: n * rhoSquared, k: n * rhoSquared + 1 });
  if (sided === 2) {
    return {
      status: 'ok',
      rhoSquared,
      zCritical(n) {
        const { information, k } = at(n);
        return Math.sqrt((k / information) * (Math.log(k) + logs));
      },
      pValue(z, n) {
        const { information, k } = at(n);
        return Math.min(1, Math.exp(0.5 * Math.log(k) - ((information / k) * z * z) / 2));
      },
    };
  }
  return {
    status: 'ok',
    rhoSquared,
    zCritical(n) {
      const { information, k } = at(n);
      return Math.sqrt(((2 * k) / information) * Math.log1p(Math.sqrt(k) / budget));
    },
    pValue(z, n) {
      const { information, k } = at(n);
      const exponent = (information / k) * ((z * z) / 2);
      // ln of 2(e^A − 1), which overflows long before its reciprocal stops mattering.
      const logOdds = exponent + Math.log(-Math.expm1(-exponent)) + Math.LN2;
      return z <= 0 ? 1 : Math.min(1, Math.exp(0.5 * Math.log(k) - logOdds));
    },
  };
}

/**
 * Asymptotic confidence sequence by a normal mixture (Robbins 1970; Howard, Ramdas, McAuliffe &
 * Sekhon 2021; Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas 2024): interval and p-value hold at all
 * looks together, and agree at each. For unequal arms or rare events use `robustStandardError` and
 * `isArmReleasable` first. Refuses INVALID_INPUT, NO_UNITS and ZERO_VARIANCE.
 */
export function confidenceSequence(
  { estimate, se, n }: SequentialEstimate,
  { alpha, tuningN, sided = 2, alternative = 'greater' }: SequenceOptions,
): Outcome<ConfidenceSequence> {
  const isValid = Number.isFinite(estimate) && Number.isFinite(se) && se >= 0 && n >= 0;
  if (!isValid || !Number.isFinite(n)) return refuse('INVALID_INPUT');
  const boundary = sequenceBoundary({ alpha, tuningN, sided });
  if (boundary.status !== 'ok') return boundary;
  if (n === 0) return refuse('NO_UNITS');
  if (se === 0) return refuse('ZERO_VARIANCE');
  const zCritical = boundary.zCritical(n);
  const halfWidth = zCritical * se;
  const isLess = sided === 1 && alternative === 'less';
  const isGreater = sided === 1 && !isLess;
  return {
    status: 'ok',
    rhoSquared: boundary.rhoSquared,
    zCritical,
    halfWidth,
    lower: isLess ? Number.NEGATIVE_INFINITY : estimate - halfWidth,
    upper: isGreater ? Number.POSITIVE_INFINITY : estimate + halfWidth,
    pValue: boundary.pValue((isLess ? -estimate : estimate) / se, n),
  };
}

/** All looks of a confidence sequence, each list with one entry for each look. */
export interface SequenceMonitor {
  readonly pValue: readonly number[];
  /** The smallest so far: what decides. */
  readonly pValueRunningMin: readonly number[];
  readonly lower: readonly number[];
  readonly upper: readonly number[];
  /** The values that no look so far has excluded; empty when lower is above upper. */
  readonly lowerIntersected: readonly number[];
  readonly upperIntersected: readonly number[];
  readonly isIntersectionEmpty: boolean;
  readonly flags: readonly Flag[];
}

/**
 * A confidence sequence over its looks, in order of time. Decide by the running minimum, show the
 * current interval. An empty intersection says that the effect drifts. Refuses what any look
 * refuses: start with the first look of which `isArmReleasable` lets through every arm.
 */
export function monitorSequence(
  looks: readonly SequentialEstimate[],
  options: SequenceOptions,
): Outcome<SequenceMonitor> {
  const [pValue, lower, upper]: [number[], number[], number[]] = [[], [], []];
  const pValueRunningMin: number[] = [];
  const [lowerIntersected, upperIntersected]: [number[], number[]] = [[], []];
  for (const look of looks) {
    const sequence = confidenceSequence(look, options);
    if (sequence.status !== 'ok') return refuse(sequence.status);
    pValue.push(sequence.pValue);
    lower.push(sequence.lower);
    upper.push(sequence.upper);
    pValueRunningMin.push(Math.min(sequence.pValue, pValueRunningMin.at(-1) ?? 1));
    lowerIntersected.push(
      Math.max(sequence.lower, lowerIntersected.at(-1) ?? Number.NEGATIVE_INFINITY),
    );
    upperIntersected.push(
      Math.min(sequence.upper, upperIntersected.at(-1) ?? Number.POSITIVE_INFINITY),
    );
  }
  const isIntersectionEmpty = (lowerIntersected.at(-1) ?? 0) > (upperIntersected.at(-1) ?? 0);
  return {
    status: 'ok',
    pValue,
    pValueRunningMin,
    lower,
    upper,
    lowerIntersected,
    upperIntersected,
    isIntersectionEmpty,
    flags: isIntersectionEmpty ? ['INTERSECTION_EMPTY'] : [],
  };
}
