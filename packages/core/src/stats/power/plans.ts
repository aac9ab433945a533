import { normalIsf } from '../distributions/normal.ts';
import { findRoot } from '../numeric/root.ts';
import { isCount, isLevel, isPositive, type Outcome, refuse } from '../outcome.ts';
import { sequenceBoundary } from '../sequential/confidence-sequence.ts';
import { isPowerOptions, type PowerOptions, zAlpha, zDistance } from './options.ts';

/** A ratio metric, as a plan knows it: moments of numerator and denominator per unit. */
export interface PlannedRatio extends PowerOptions {
  readonly meanNumerator: number;
  readonly meanDenominator: number;
  readonly varNumerator: number;
  readonly varDenominator: number;
  readonly covariance: number;
  /** Of the ratio, not 0. */
  readonly relativeEffect: number;
}

/** How many units a comparison of ratios needs. */
export interface RatioSampleSize {
  readonly ratio: number;
  /** Of one unit, by the delta method. */
  readonly unitVariance: number;
  readonly nPerArm: number;
  readonly nPerArmCeil: number;
}

/**
 * Units per arm for a ratio of sums (Deng, Knoblich & Lu 2018), in equal arms. Estimate its moments
 * over as long a time as the test will take. Refuses INVALID_INPUT, ZERO_DENOMINATOR and
 * ZERO_BASELINE.
 */
export function ratioSampleSize(plan: PlannedRatio): Outcome<RatioSampleSize> {
  const { meanNumerator, meanDenominator, varNumerator, varDenominator, covariance } = plan;
  const isValid =
    isPowerOptions(plan) &&
    [meanNumerator, meanDenominator, covariance].every((value) => Number.isFinite(value)) &&
    [varNumerator, varDenominator].every((value) => Number.isFinite(value) && value >= 0) &&
    Number.isFinite(plan.relativeEffect) &&
    plan.relativeEffect !== 0;
  if (!isValid) return refuse('INVALID_INPUT');
  if (meanDenominator === 0) return refuse('ZERO_DENOMINATOR');
  if (meanNumerator === 0) return refuse('ZERO_BASELINE');
  const ratio = meanNumerator / meanDenominator;
  const unitVariance =
    Math.max(0, varNumerator - 2 * ratio * covariance + ratio * ratio * varDenominator) /
    (meanDenominator * meanDenominator);
  const nPerArm = 2 * unitVariance * (zDistance(plan) / (plan.relativeEffect * ratio)) ** 2;
  return { status: 'ok', ratio, unitVariance, nPerArm, nPerArmCeil: Math.ceil(nPerArm) };
}

/** How many units several arms against one control need. */
export interface MultiArmSampleSize {
  readonly alphaPerComparison: number;
  readonly totalN: number;
  readonly nPerArm: readonly number[];
  /** The control's share with which the comparisons are most precise (Dunnett 1955). */
  readonly optimalControlShare: number;
}

/**
 * Units of all arms together, so that the comparison with the smallest arm still has its power.
 * Refuses INVALID_INPUT.
 *
 * @param plan.weights shares of the control and then the treatments, of any sum, > 0
 * @param plan.bonferroni whether the level is shared among the comparisons
 */
export function multiArmSampleSize(
  plan: PowerOptions & {
    readonly weights: readonly number[];
    readonly variance: number;
    readonly absoluteEffect: number;
    readonly bonferroni: boolean;
  },
): Outcome<MultiArmSampleSize> {
  const { weights, variance, absoluteEffect } = plan;
  const isValid =
    isPowerOptions(plan) &&
    weights.length >= 2 &&
    weights.every(isPositive) &&
    isPositive(variance) &&
    Number.isFinite(absoluteEffect) &&
    absoluteEffect !== 0;
  if (!isValid) return refuse('INVALID_INPUT');
  const comparisons = weights.length - 1;
  const alphaPerComparison = plan.bonferroni ? plan.alpha / comparisons : plan.alpha;
  const distance = zDistance({ ...plan, alpha: alphaPerComparison }) / absoluteEffect;
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const [control = 1, ...treatments] = weights.map((weight) => weight / sum);
  const totalN = distance * distance * variance * (1 / control + 1 / Math.min(...treatments));
  const root = Math.sqrt(comparisons);
  return {
    status: 'ok',
    alphaPerComparison,
    totalN,
    nPerArm: [control, ...treatments].map((share) => share * totalN),
    optimalControlShare: root / (root + comparisons),
  };
}

/** Of the largest double. */
const LOG_MAX = 709;

/** How many units a confidence sequence needs, beside a test that is read once. */
export interface SequenceSampleSize {
  readonly totalN: number;
  readonly totalNFixedHorizon: number;
  readonly inflation: number;
}

/**
 * Units of equal arms together with which a confidence sequence finds an effect at that one look,
 * which bounds what it needs when it is watched all the time. Refuses INVALID_INPUT, for a one-sided
 * level of a half or more and for more units than a number can hold too.
 *
 * @param plan.variance of one unit
 * @param plan.tuningN of the sequence
 * @param plan.arms 2 when absent; each treatment is compared with the control
 */
export function sequenceSampleSize(
  plan: PowerOptions & {
    readonly variance: number;
    readonly absoluteEffect: number;
    readonly tuningN: number;
    readonly arms?: number;
  },
): Outcome<SequenceSampleSize> {
  const { variance, absoluteEffect, tuningN, alpha, power, sided = 2, arms = 2 } = plan;
  const isValid =
    isPowerOptions(plan) &&
    isPositive(variance) &&
    Number.isFinite(absoluteEffect) &&
    absoluteEffect !== 0 &&
    isPositive(tuningN) &&
    isCount(arms) &&
    arms >= 2;
  if (!isValid) return refuse('INVALID_INPUT');
  const zPower = normalIsf(1 - power);
  // Squared standard error times units of the two arms that are compared.
  const pairVariance = 4 * variance;
  const needed = (zCritical: number): number =>
    ((zCritical + zPower) / absoluteEffect) ** 2 * pairVariance;
  const fixed = needed(zAlpha(plan));
  const boundary = sequenceBoundary({ alpha, tuningN, sided });
  if (boundary.status !== 'ok' || !isPositive(fixed)) return refuse('INVALID_INPUT');
  const excess = (logN: number): number =>
    logN - Math.log(needed(boundary.zCritical(Math.exp(logN))));
  const low = Math.log(fixed);
  let high = low + 1;
  while (excess(high) < 0 && high < LOG_MAX) high += 1;
  // Beyond what a double can hold there is nothing to find.
  if (!(excess(high) >= 0)) return refuse('INVALID_INPUT');
  const pair = Math.exp(findRoot(excess, low, high, 1e-15));
  const scale = arms / 2;
  return {
    status: 'ok',
    totalN: pair * scale,
    totalNFixedHorizon: fixed * scale,
    inflation: pair / fixed,
  };
}

/** How many units a test of non-inferiority needs. */
export interface NonInferioritySampleSize {
  readonly nControl: number;
  readonly nControlCeil: number;
  readonly nTreatmentCeil: number;
}

/**
 * Units per arm that show a treatment not to be inferior. Refuses INVALID_INPUT, for a true difference
 * beyond the margin too: no number of units would do.
 *
 * @param plan.trueDifference with a sign by which more is better
 * @param plan.allocationRatio n_T / n_C; 1 when absent
 * @param plan.sided 1 when absent
 */
export function nonInferioritySampleSize(
  plan: PowerOptions & {
    readonly variance: number;
    readonly margin: number;
    readonly trueDifference: number;
    readonly allocationRatio?: number;
  },
): Outcome<NonInferioritySampleSize> {
  const { variance, margin, trueDifference, allocationRatio: k = 1, sided = 1 } = plan;
  const options = { ...plan, sided };
  const room = margin + trueDifference;
  const isValid = isPowerOptions(options) && [variance, room, k].every(isPositive) && margin >= 0;
  if (!isValid) return refuse('INVALID_INPUT');
  const nControl = (zDistance(options) / room) ** 2 * variance * (1 + 1 / k);
  return {
    status: 'ok',
    nControl,
    nControlCeil: Math.ceil(nControl),
    nTreatmentCeil: Math.ceil(k * nControl),
  };
}

/** How long an experiment takes. */
export interface Duration {
  readonly days: number;
  /** Rounded up to whole weeks, and no shorter than the minimum. */
  readonly daysWholeWeeks: number;
}

const DAYS_PER_WEEK = 7;
/** Rounding must not turn 20 days into 21. */
const ROUNDING = 1e-9;

/**
 * Days until enough units have come. Daily new units decline in reality: with a history, use its
 * curve instead. Refuses INVALID_INPUT.
 *
 * @param plan.totalN units of all arms, > 0
 * @param plan.dailyUnits new ones a day, > 0
 * @param plan.trafficShare 0 < share ≤ 1
 * @param plan.minimumDays 7 when absent; 14 is better
 */
export function experimentDuration(plan: {
  readonly totalN: number;
  readonly dailyUnits: number;
  readonly trafficShare: number;
  readonly minimumDays?: number;
}): Outcome<Duration> {
  const { totalN, dailyUnits, trafficShare, minimumDays = DAYS_PER_WEEK } = plan;
  const isValid =
    [totalN, dailyUnits, trafficShare].every(isPositive) &&
    trafficShare <= 1 &&
    minimumDays >= 0 &&
    Number.isFinite(minimumDays);
  if (!isValid) return refuse('INVALID_INPUT');
  const days = Math.ceil((totalN / (dailyUnits * trafficShare)) * (1 - ROUNDING));
  const weeks = Math.ceil(Math.max(days, minimumDays) / DAYS_PER_WEEK);
  return { status: 'ok', days, daysWholeWeeks: weeks * DAYS_PER_WEEK };
}

/**
 * The power each metric needs, so that a success metric and all guardrails pass together with the
 * power wanted (Schultzberg, Ankargren & Frånberg 2024). Refuses INVALID_INPUT.
 *
 * @param guardrails how many, ≥ 0
 */
export function guardrailPower(
  guardrails: number,
  power: number,
): Outcome<{ readonly powerPerMetric: number }> {
  if (!isCount(guardrails) || !isLevel(power)) return refuse('INVALID_INPUT');
  return { status: 'ok', powerPerMetric: 1 - (1 - power) / (guardrails + 1) };
}
