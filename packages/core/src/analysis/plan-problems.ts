import { isRateKind, type PlanInput, type PlanRefusal } from './plan-types.ts';

const isWithin = (value: number, from: number, to: number): boolean => value >= from && value <= to;

/** Smaller errors no experiment has; the tails of the boundaries need some room. */
const ERROR_MIN = 1e-9;
const SHARE = 'must be above 0 and below 1, by at least 1e-9';
/** Squares of it stay within a double, as do those of effects a thousandth or a thousand times as large. */
const SIZE_MAX = 1e100;
/** In standard deviations: a larger effect needs no statistics. */
const EFFECT_MAX = 1_000;
const ARMS_MAX = 50;
const METRICS_MAX = 1_000;

/** Why a plan cannot be made of this; null when it can. */
export function planProblem(input: PlanInput): PlanRefusal | null {
  return rangeProblem(input) ?? metricProblem(input) ?? effectProblem(input);
}

const refusal = (
  status: PlanRefusal['status'],
  field: PlanRefusal['field'],
  change: string,
): PlanRefusal => ({ status, field, change });

function rangeProblem(input: PlanInput): PlanRefusal | null {
  const { alpha, power, allocation, goals, guardrails, recruitment, margin, method, isPlanned } =
    input;
  const sided = margin === null ? 2 : 1;
  const rules: readonly (readonly [keyof PlanInput, boolean, string])[] = [
    ['alpha', isWithin(alpha, ERROR_MIN, 1 - ERROR_MIN), SHARE],
    ['power', isWithin(power, ERROR_MIN, 1 - ERROR_MIN), SHARE],
    [
      'power',
      power > alpha / sided,
      sided === 2
        ? 'must be above half of alpha, which chance alone reaches'
        : 'must be above alpha, which chance alone reaches',
    ],
    [
      'alpha',
      sided === 2 || method !== 'sequential' || isPlanned || alpha < 0.5,
      'must be below 0.5, from which on no one-sided sequence has a boundary',
    ],
    ['allocation', isWithin(allocation.length, 2, ARMS_MAX), 'must have 2 to 50 arms'],
    [
      'allocation',
      allocation.every((weight) => weight > 0 && Number.isFinite(weight)),
      'every arm must have a share above 0; leave out an arm without users',
    ],
    [
      'cupedCorrelation',
      Math.abs(input.cupedCorrelation) < 1,
      'must be between -1 and 1; 1 would leave nothing to measure',
    ],
    [
      'goals',
      Number.isInteger(goals) && isWithin(goals, 1, METRICS_MAX),
      'must be a whole number, at least 1',
    ],
    [
      'guardrails',
      Number.isInteger(guardrails) && isWithin(guardrails, 0, METRICS_MAX),
      'must be a whole number, at least 0',
    ],
    [
      'recruitment',
      recruitment === null ||
        (recruitment.daily >= 0 &&
          Number.isFinite(recruitment.daily) &&
          recruitment.share > 0 &&
          recruitment.share <= 1 &&
          recruitment.observed.every(
            (count, day) => count >= (recruitment.observed[day - 1] ?? 0),
          )),
      'must be numbers of users, of which a share above 0 enters',
    ],
    ['minimumDays', isWithin(input.minimumDays, 0, 3_650), 'must be 0 to 3650 days'],
  ];
  const broken = rules.find(([, isKept]) => !isKept);
  return broken === undefined ? null : refusal('INVALID_INPUT', broken[0], broken[2]);
}

function metricProblem(input: PlanInput): PlanRefusal | null {
  const { kind, baseline, deviation, margin } = input;
  if (WITHOUT_COVARIATE.includes(kind) && input.cupedCorrelation !== 0) {
    return refusal(
      'INVALID_INPUT',
      'cupedCorrelation',
      `a ${kind} takes no covariate; leave it out`,
    );
  }
  if (baseline !== 0 && !isWithin(Math.abs(baseline), 1 / SIZE_MAX, SIZE_MAX)) {
    return refusal('INVALID_INPUT', 'baseline', 'must be 0, or 1e-100 to 1e100 in size');
  }
  if (isRateKind(kind)) {
    return isWithin(baseline, 0, 1)
      ? rateProblem(baseline, margin)
      : refusal('OUT_OF_RANGE', 'baseline', 'a rate is between 0 and 1');
  }
  if (deviation === null) return refusal('NO_DEVIATION', 'deviation', DEVIATION_OF[kind]);
  if (deviation === 0) {
    const change = 'users who are all alike need no experiment; give a deviation above 0';
    return refusal('ZERO_VARIANCE', 'deviation', change);
  }
  return isWithin(deviation, 1 / SIZE_MAX, SIZE_MAX)
    ? null
    : refusal('INVALID_INPUT', 'deviation', 'must be above 0, 1e-100 to 1e100');
}

/** Kinds that are not adjusted by CUPED. */
const WITHOUT_COVARIATE: readonly PlanInput['kind'][] = ['retention', 'funnel', 'quantile'];

function rateProblem(baseline: number, margin: number | null): PlanRefusal | null {
  if (margin === null || (baseline > 0 && baseline < 1)) return null;
  const change = 'a guardrail that every user or no user meets has no variance to plan with';
  return refusal('ZERO_VARIANCE', 'baseline', change);
}

const PER_USER = 'give the standard deviation of one user, zeros included';
const OF_RATIO =
  'give the moments of numerator and denominator, or the standard error of one arm times the root of its users';
const DEVIATION_OF: Readonly<Record<PlanInput['kind'], string>> = {
  conversion: PER_USER,
  retention: PER_USER,
  funnel: PER_USER,
  count: PER_USER,
  sum: PER_USER,
  mean: OF_RATIO,
  ratio: OF_RATIO,
  quantile:
    'how precise a quantile is depends on the density around it: give its standard error in one arm times the root of its users, as results show it',
};

function sizeProblem({ kind, deviation }: PlanInput, distance: number): PlanRefusal | null {
  if (isRateKind(kind)) {
    return Math.abs(distance) <= 1
      ? null
      : refusal('OUT_OF_RANGE', 'effect', 'no rate can change by more than 1');
  }
  if (Math.abs(distance) <= EFFECT_MAX * (deviation ?? Number.NaN)) return null;
  const change = `is more than ${EFFECT_MAX} standard deviations; such an effect needs no experiment`;
  return refusal('OUT_OF_RANGE', 'effect', change);
}

function effectProblem(input: PlanInput): PlanRefusal | null {
  const { kind, baseline, effect, margin } = input;
  if (!Number.isFinite(effect.value)) return refusal('INVALID_INPUT', 'effect', 'must be a number');
  if (baseline === 0 && margin !== null) {
    return refusal('ZERO_BASELINE', 'margin', 'a margin is a share of the baseline, which is 0');
  }
  if (baseline === 0 && effect.type === 'relative') {
    const change = 'a share of a baseline of 0 is no effect; give the effect as absolute';
    return refusal('ZERO_BASELINE', 'effect', change);
  }
  const size = Math.abs(baseline);
  const change = effect.type === 'absolute' ? effect.value : effect.value * size;
  if (margin !== null) {
    if (!(margin >= 0) || !Number.isFinite(margin)) {
      return refusal('INVALID_INPUT', 'margin', 'must be 0 or more');
    }
    return change + margin * size > 0
      ? sizeProblem(input, change + margin * size)
      : refusal('NO_ROOM', 'margin', 'must be larger than the harm that is expected');
  }
  if (change === 0) return refusal('INVALID_INPUT', 'effect', 'must not be 0');
  if (!isRateKind(kind)) return sizeProblem(input, change);
  const rate = baseline + change;
  if (!isWithin(rate, 0, 1)) {
    const words = `takes the rate from ${baseline} to ${rate}; it must stay between 0 and 1`;
    return refusal('OUT_OF_RANGE', 'effect', words);
  }
  return [0, 1].includes(rate) && [0, 1].includes(baseline)
    ? refusal('ZERO_VARIANCE', 'effect', 'from no user to every user needs no experiment')
    : null;
}
