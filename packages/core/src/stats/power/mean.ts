import { nonCentralTCdf, nonCentralTSf } from '../distributions/noncentral-t.ts';
import { normalIsf } from '../distributions/normal.ts';
import { tIsf } from '../distributions/student.ts';
import { findRoot } from '../numeric/root.ts';
import { isLevel, isPositive, type Outcome, refuse } from '../outcome.ts';
import { isPowerOptions, type PowerOptions, zDistance } from './options.ts';

/**
 * The smallest effect that the present precision would find with the given power: what to show
 * while an experiment runs, instead of a power computed from its own result.
 *
 * @param se standard error of the difference, ≥ 0
 * @param alpha two-sided
 */
export function currentMde(se: number, alpha: number, power: number): number {
  return (normalIsf(alpha / 2) + normalIsf(1 - power)) * se;
}

/** A metric that is a mean, as a plan knows it. */
export interface PlannedMean extends PowerOptions {
  /** Of the control; it turns relative effects into absolute ones. */
  readonly mean: number;
  /** > 0. */
  readonly sd: number;
  /** Correlation of the metric with its pre-period covariate, −1…1; 0 without CUPED. */
  readonly cupedCorrelation?: number;
}

const isCorrelation = (rho: number): boolean => rho > -1 && rho < 1;

const isPlannedMean = (plan: PlannedMean): boolean =>
  isPowerOptions(plan) &&
  Number.isFinite(plan.mean) &&
  isPositive(plan.sd) &&
  isCorrelation(plan.cupedCorrelation ?? 0);

/** How many units a comparison of means needs. */
export interface MeanSampleSize {
  readonly nControl: number;
  readonly nControlCeil: number;
  readonly nTreatmentCeil: number;
  /** What CUPED leaves of the variance. */
  readonly varianceMultiplier: number;
  /** With Student's t instead of the normal distribution; null for arms of different size. */
  readonly nControlT: number | null;
}

/**
 * Units per arm that find an effect on a mean. Refuses INVALID_INPUT and, for a relative effect on a
 * mean of 0, ZERO_BASELINE.
 *
 * @param plan.relativeEffect of the control mean, not 0
 * @param plan.allocationRatio n_T / n_C; 1 when absent
 */
export function meanSampleSize(
  plan: PlannedMean & { readonly relativeEffect: number; readonly allocationRatio?: number },
): Outcome<MeanSampleSize> {
  const { mean, sd, relativeEffect, allocationRatio: k = 1, cupedCorrelation: rho = 0 } = plan;
  const isEffect = Number.isFinite(relativeEffect) && relativeEffect !== 0;
  if (!isPlannedMean(plan) || !isEffect || !isPositive(k)) return refuse('INVALID_INPUT');
  if (mean === 0) return refuse('ZERO_BASELINE');
  const varianceMultiplier = 1 - rho * rho;
  const standardized = Math.abs(relativeEffect * mean) / (sd * Math.sqrt(varianceMultiplier));
  const nControl = (zDistance(plan) / standardized) ** 2 * (1 + 1 / k);
  return {
    status: 'ok',
    nControl,
    nControlCeil: Math.ceil(nControl),
    nTreatmentCeil: Math.ceil(k * nControl),
    varianceMultiplier,
    nControlT: k === 1 ? solveT(standardized, plan, nControl) : null,
  };
}

/** The chances that a t-test of two equal arms rejects. @param n per arm, > 1, may be fractional */
function tPower(
  n: number,
  effect: number,
  { alpha, sided = 2 }: Pick<PowerOptions, 'alpha' | 'sided'>,
): TPower {
  const df = 2 * (n - 1);
  const critical = tIsf(alpha / sided, df);
  const ncp = effect * Math.sqrt(n / 2);
  const power = nonCentralTSf(critical, df, ncp);
  const wrong = sided === 2 ? nonCentralTCdf(-critical, df, ncp) : 0;
  return { power, powerBothTails: power + wrong };
}

function solveT(effect: number, plan: PowerOptions, start: number): number {
  const shortfall = (n: number): number => tPower(n, effect, plan).power - plan.power;
  let low = Math.max(start, 1.01);
  while (low > 1.001 && shortfall(low) > 0) low = 1 + (low - 1) / 2;
  let high = Math.max(start + 2, 2);
  while (shortfall(high) < 0) high *= 1.5;
  return findRoot(shortfall, low, high, 1e-13);
}

/** The chances that a two-sided test rejects. */
export interface TPower {
  /** In the direction of the effect. */
  readonly power: number;
  /** In either direction, which is what some tools call power. */
  readonly powerBothTails: number;
}

/**
 * Power of the t-test of two equal arms, by the noncentral t distribution. Refuses INVALID_INPUT and,
 * below two units, INSUFFICIENT_UNITS.
 *
 * @param plan.standardizedEffect the effect in standard deviations, ≥ 0
 */
export function meanPower(
  plan: Pick<PowerOptions, 'alpha' | 'sided'> & {
    readonly nPerArm: number;
    readonly standardizedEffect: number;
  },
): Outcome<TPower> {
  const { nPerArm, standardizedEffect } = plan;
  const isValid =
    isLevel(plan.alpha) &&
    Number.isFinite(nPerArm) &&
    Number.isFinite(standardizedEffect) &&
    standardizedEffect >= 0;
  if (!isValid) return refuse('INVALID_INPUT');
  if (nPerArm < 2) return refuse('INSUFFICIENT_UNITS');
  return { status: 'ok', ...tPower(nPerArm, standardizedEffect, plan) };
}

/** The smallest effect that is found. */
export interface MeanMde {
  readonly mde: number;
  /** Null when the mean is 0. */
  readonly mdeRelative: number | null;
}

/** The smallest difference of two means that a plan finds. Refuses INVALID_INPUT. */
export function meanMde(
  plan: PlannedMean & { readonly nControl: number; readonly nTreatment: number },
): Outcome<MeanMde> {
  const { mean, sd, nControl, nTreatment, cupedCorrelation: rho = 0 } = plan;
  if (!isPlannedMean(plan) || !isPositive(nControl) || !isPositive(nTreatment)) {
    return refuse('INVALID_INPUT');
  }
  const se = sd * Math.sqrt((1 - rho * rho) * (1 / nControl + 1 / nTreatment));
  const mde = zDistance(plan) * se;
  return { status: 'ok', mde, mdeRelative: mean === 0 ? null : mde / Math.abs(mean) };
}
