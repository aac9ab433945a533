import {
  guardrailPower,
  multiArmSampleSize,
  proportionSampleSize,
  type RefusalCode,
  ratioSampleSize,
  sequenceSampleSize,
  TUNING_N_DEFAULT,
} from '../stats/index.ts';
import { findRoot } from '../stats/numeric/root.ts';
import { OUTCOMES_MIN, UNITS_MIN } from '../stats/sequential/release.ts';
import { planProblem } from './plan-problems.ts';
import {
  type CurvePoint,
  isRateKind,
  type Plan,
  type PlanCaution,
  type PlanDesign,
  type PlanInput,
  type PlanRefusal,
  type RatioMoments,
} from './plan-types.ts';
import { plannedInflation } from './planned-boundary.ts';
import { runningTime, usersAfter } from './recruitment.ts';

/** Users of all arms together who find an effect; of a guardrail, who prove a room above its margin. */
type UsersFor = (distance: number) => number;

/** The errors of one comparison. */
interface Errors {
  readonly alpha: number;
  readonly power: number;
  readonly sided: 1 | 2;
}

/** Of one look; the boundaries of a method take a few times as many. */
const USERS_MAX = 1e13;
const CURVE_POINTS = 12;
const DAYS_PER_WEEK = 7;
/** How far beyond the effect that the square root of the users suggests another method's may lie. */
const SEARCH_RANGE = 1e6;

/**
 * How many users an experiment needs, how long that takes, and what it could find in another time
 * (STATISTICS specification §7). Every comparison with the control has its power, so the smallest
 * treatment decides.
 *
 * Fixed: the formulas of proportions (with the pooled variance, or unpooled with a covariate, as
 * they are tested then) and of means. Sequential: with a planned size the boundary that results are
 * judged by (planned-boundary.ts), else the confidence sequence (§4.1). Bayesian: as fixed, since
 * a posterior controls no error. A guardrail is tested one-sided for non-inferiority (§6.4).
 */
export function plan(input: PlanInput): ({ readonly status: 'ok' } & Plan) | PlanRefusal {
  const problem = planProblem(input);
  if (problem !== null) return problem;
  const { baseline, effect, margin, recruitment } = input;
  const size = Math.abs(baseline);
  const effectAbsolute = effect.type === 'absolute' ? effect.value : effect.value * size;
  const distance = margin === null ? effectAbsolute : effectAbsolute + margin * size;
  const errors = errorsOf(input);
  const fixed = fixedUsers(input, errors);
  if (!(fixed(distance) <= USERS_MAX)) {
    const change = `needs more than ${USERS_MAX} users; plan for a larger effect`;
    return { status: 'TOO_MANY_USERS', field: 'effect', change };
  }
  const usersFor = methodUsers(input, errors, fixed);
  const users = usersFor(distance);
  const shares = sharesOf(input);
  const usersPerArm = shares.map((share) => Math.ceil(share * users));
  const totalUsers = usersPerArm.reduce((sum, count) => sum + count, 0);
  const comparisons = shares.length - 1;
  const time =
    recruitment === null ? null : runningTime(recruitment, totalUsers, input.minimumDays);
  const isEndless = recruitment !== null && time === null;
  return {
    status: 'ok',
    design: designOf(input),
    sided: errors.sided,
    alphaPerComparison: errors.alpha,
    powerPerMetric: errors.power,
    effectAbsolute,
    effectRelative: size === 0 ? null : effectAbsolute / size,
    usersPerArm,
    totalUsers,
    inflation: users / fixed(distance),
    varianceMultiplier: cupedMultiplier(input),
    optimalControlShare: Math.sqrt(comparisons) / (Math.sqrt(comparisons) + comparisons),
    runningTime: time,
    curve: curveOf(input, usersFor, { distance, effectAbsolute, users }),
    cautions: [
      ...cautionsOf(input, usersPerArm, effectAbsolute),
      ...(isEndless ? (['never_reached'] as const) : []),
    ],
  };
}

/**
 * Baseline and deviation of a ratio, as a plan takes them. Refuses INVALID_INPUT, ZERO_DENOMINATOR
 * and ZERO_BASELINE.
 */
export function ratioBaseline(
  moments: RatioMoments,
):
  | { readonly status: 'ok'; readonly baseline: number; readonly deviation: number }
  | { readonly status: RefusalCode } {
  // Of the answer only what does not depend on the errors and the effect is taken.
  const size = ratioSampleSize({ ...moments, alpha: 0.05, power: 0.8, relativeEffect: 1 });
  return size.status === 'ok'
    ? { status: 'ok', baseline: size.ratio, deviation: Math.sqrt(size.unitVariance) }
    : size;
}

function designOf({ method, isPlanned }: PlanInput): PlanDesign {
  if (method !== 'sequential') return 'fixed_horizon';
  return isPlanned ? 'group_sequential' : 'confidence_sequence';
}

function errorsOf({ alpha, power, margin, allocation, goals, guardrails }: PlanInput): Errors {
  const corrected = guardrailPower(guardrails, power);
  return {
    // A guardrail's level is not shared: that all must pass makes no error likelier (§6.5).
    alpha: margin === null ? alpha / (goals * (allocation.length - 1)) : alpha,
    power: corrected.status === 'ok' ? corrected.powerPerMetric : Number.NaN,
    sided: margin === null ? 2 : 1,
  };
}

function sharesOf({ allocation }: PlanInput): readonly number[] {
  const sum = allocation.reduce((total, weight) => total + weight, 0);
  return allocation.map((weight) => weight / sum);
}

const cupedMultiplier = ({ cupedCorrelation }: PlanInput): number => 1 - cupedCorrelation ** 2;

/** Whether the effect changes the variance. */
const isRateGoal = ({ kind, margin }: PlanInput): boolean => isRateKind(kind) && margin === null;

const bernoulli = (p: number): number => p * (1 - p);

/** Variances of one user of the control and of a treatment, after CUPED. */
function variances(input: PlanInput, distance: number): readonly [number, number] {
  const { kind, baseline, deviation } = input;
  const left = cupedMultiplier(input);
  const control = isRateKind(kind) ? bernoulli(baseline) : (deviation ?? Number.NaN) ** 2;
  const treatment = isRateGoal(input) ? bernoulli(baseline + distance) : control;
  return [left * control, left * treatment];
}

/** With a test that is read once, at the end. */
function fixedUsers(input: PlanInput, errors: Errors): UsersFor {
  const { baseline: pControl, cupedCorrelation } = input;
  const weights = sharesOf(input);
  const [control = Number.NaN, ...treatments] = weights;
  const allocationRatio = Math.min(...treatments) / control;
  if (!isRateGoal(input)) {
    const [variance] = variances(input, 0);
    return (absoluteEffect) => {
      const size = multiArmSampleSize({
        ...errors,
        weights,
        variance,
        absoluteEffect,
        bonferroni: false,
      });
      return size.status === 'ok' ? size.totalN : Number.POSITIVE_INFINITY;
    };
  }
  return (distance) => {
    const pTreatment = pControl + distance;
    const size = proportionSampleSize({ ...errors, pControl, pTreatment, allocationRatio });
    // A distance too small to change the rate: no number of users finds it.
    if (size.status !== 'ok') return Number.POSITIVE_INFINITY;
    if (cupedCorrelation === 0) return size.nControlPooled / control;
    return (size.nControlUnpooled * cupedMultiplier(input)) / control;
  };
}

/** With the boundaries of the method. */
function methodUsers(input: PlanInput, errors: Errors, fixed: UsersFor): UsersFor {
  switch (designOf(input)) {
    case 'fixed_horizon':
      return fixed;
    case 'group_sequential': {
      const inflation = plannedInflation(errors.alpha, errors.sided, errors.power);
      return (distance) => inflation * fixed(distance);
    }
    case 'confidence_sequence':
      return sequenceUsers(input, errors);
  }
}

function sequenceUsers(input: PlanInput, errors: Errors): UsersFor {
  const [control = Number.NaN, ...treatments] = sharesOf(input);
  const treatment = Math.min(...treatments);
  const pair = control + treatment;
  return (absoluteEffect) => {
    const [varC, varT] = variances(input, absoluteEffect);
    const welch = varC / control + varT / treatment;
    const pooled = ((control * varC + treatment * varT) / pair) * (1 / control + 1 / treatment);
    // Squared standard error times users of the pair; a quarter of it is that of equal arms. The
    // larger error is what sequential tests take (§4.2).
    const variance = (pair * Math.max(welch, pooled)) / 4;
    const size = sequenceSampleSize({
      ...errors,
      variance,
      absoluteEffect,
      tuningN: TUNING_N_DEFAULT,
    });
    return size.status === 'ok' ? size.totalN / pair : Number.POSITIVE_INFINITY;
  };
}

/** What the plan itself looks for, where the search of other effects begins. */
interface Planned {
  readonly distance: number;
  readonly effectAbsolute: number;
  readonly users: number;
}

function curveOf(input: PlanInput, usersFor: UsersFor, planned: Planned): readonly CurvePoint[] {
  const { recruitment, margin, baseline } = input;
  return Array.from({ length: CURVE_POINTS }, (_, index): CurvePoint => {
    const days = recruitment === null ? null : (index + 1) * DAYS_PER_WEEK;
    const users = Math.floor(
      recruitment === null || days === null
        ? (planned.users * (index + 1)) / 4
        : usersAfter(recruitment, days),
    );
    const distance = detectable(input, usersFor, planned, users);
    const absolute =
      distance === null || margin === null
        ? distance
        : Math.max(0, distance - planned.effectAbsolute);
    const relative = absolute === null || baseline === 0 ? null : absolute / Math.abs(baseline);
    return { days, users, absolute, relative };
  });
}

/** The smallest distance that so many users find, in the direction of the planned one; null: none. */
function detectable(
  input: PlanInput,
  usersFor: UsersFor,
  planned: Planned,
  users: number,
): number | null {
  if (users < 1) return null;
  const sign = Math.sign(planned.distance);
  const { baseline } = input;
  // At the end itself the variance of a rate may vanish.
  const room = isRateGoal(input) ? (sign > 0 ? 1 - baseline : baseline) * (1 - 1e-9) : Infinity;
  const excess = (logDistance: number): number =>
    Math.log(usersFor(sign * Math.exp(logDistance)) / users);
  // Exact where the needed users fall with the square of the distance.
  const guess = Math.abs(planned.distance) * Math.sqrt(planned.users / users);
  const top = Math.log(Math.min(room, guess * SEARCH_RANGE));
  let high = Math.min(Math.log(guess), top);
  while (excess(high) > 0 && high < top) high = Math.min(high + 1, top);
  if (excess(high) > 0) return null;
  let low = high - 0.1;
  while (excess(low) < 0) low -= 1;
  return sign * Math.exp(findRoot(excess, low, high, 1e-14));
}

function cautionsOf(
  input: PlanInput,
  usersPerArm: readonly number[],
  effect: number,
): readonly PlanCaution[] {
  const { kind, baseline, method } = input;
  const smallest = Math.min(...usersPerArm);
  const rates = isRateGoal(input) ? [baseline, baseline + effect] : [baseline];
  const rarest = Math.min(...rates.flatMap((p) => [p, 1 - p]));
  return [
    ...(smallest < UNITS_MIN ? (['small_sample'] as const) : []),
    ...(isRateKind(kind) && smallest * rarest < OUTCOMES_MIN ? (['rare_outcomes'] as const) : []),
    ...(method === 'bayesian' ? (['as_fixed'] as const) : []),
  ];
}
