import type { BuiltInMetric, MetricResult, VersusControl } from '@assay/contract';
import {
  fiellerLift,
  meanInterval,
  type Outcome,
  type RatioSums,
  ratioSample,
  type Sample,
  scoreDifference,
  scoreLift,
  welchDifference,
  wilsonInterval,
} from '@assay/core/stats';
import type { Shift, VariantQuantiles, VariantSums } from './old-answer.ts';

/** What a metric of one variant is computed from. */
export interface ArmData {
  readonly sums: VariantSums;
  readonly quantiles: VariantQuantiles | undefined;
}

/** An arm's own numbers, and what a comparison with another arm needs. */
interface Arm {
  readonly value: number | null;
  readonly sampleSize: number;
  readonly numerator: number | null;
  readonly denominator: number | null;
  readonly standardError: number | null;
  readonly lower: number | null;
  readonly upper: number | null;
}

const finite = (value: number | null | undefined): number | null =>
  value !== undefined && value !== null && Number.isFinite(value) ? value : null;

/** A difference this small against its terms has no digits left. */
const ROUNDING = 1e-12;
/** How far apart, relative to their size, sums of the same numbers in another order may be. */
const ORDER = 1e-14;

/** A variance that is nothing but rounding is 0: otherwise it would make p-values of noise. */
const withoutNoise = (variance: number, mean: number): number =>
  variance <= (ORDER * mean) ** 2 ? 0 : variance;

function sampleOf(n: number, sum: number, deviation: number, squares: number): Sample {
  if (n < 2) return { n, mean: n === 0 ? Number.NaN : sum / n, variance: Number.NaN };
  const m2 = squares - (deviation * deviation) / n;
  // Equal values lie a constant beside the shift, and what is left of their squares is rounding.
  const variance = m2 < ROUNDING * squares ? 0 : m2 / (n - 1);
  return { n, mean: sum / n, variance: withoutNoise(variance, sum / n) };
}

/** Mean per assigned user of events, or of values. */
function perUser(metric: 'events_per_user' | 'value_per_user', sums: VariantSums): Sample {
  return metric === 'events_per_user'
    ? sampleOf(sums.users, sums.events, sums.eventsDeviation, sums.eventsSquares)
    : sampleOf(sums.users, sums.total, sums.totalDeviation, sums.totalSquares);
}

/** Σ value over events with a value, with users as the units of its variance. */
function averageValue(sums: VariantSums, shift: Shift): Outcome<{ readonly sample: Sample }> {
  // Without a value the denominator would be rounding errors, and so the ratio.
  if (sums.valued === 0 && sums.users > 0) return { status: 'ZERO_DENOMINATOR' };
  const residuals: RatioSums = {
    n: sums.users,
    sumNumerator: sums.residual,
    sumDenominator: sums.valuedDeviation,
    sumNumeratorSquares: sums.residualSquares,
    sumDenominatorSquares: sums.valuedSquares,
    sumProduct: sums.residualProduct,
    denominatorShift: shift.valued,
  };
  // The ratio of the residuals is the ratio less the pooled one, and has its variance: y − R d stays.
  const outcome = ratioSample(residuals);
  if (outcome.status !== 'ok') return outcome;
  const { n, variance } = outcome.sample;
  const mean = sums.total / sums.valued;
  return { status: 'ok', sample: { n, mean, variance: withoutNoise(variance, mean) } };
}

function armOfSample(sample: Sample, numerator: number, denominator: number, alpha: number): Arm {
  const interval = meanInterval(sample, alpha);
  const isOk = interval.status === 'ok';
  return {
    value: finite(sample.mean),
    sampleSize: denominator,
    numerator,
    denominator,
    standardError: isOk ? interval.se : null,
    lower: isOk ? interval.lower : null,
    upper: isOk ? interval.upper : null,
  };
}

function total(value: number, users: number): Arm {
  return {
    value,
    sampleSize: users,
    numerator: null,
    denominator: null,
    standardError: null,
    lower: null,
    upper: null,
  };
}

function armOf(metric: BuiltInMetric, data: ArmData, shift: Shift, alpha: number): Arm {
  const { sums, quantiles } = data;
  switch (metric) {
    case 'conversion_rate': {
      const { users, converters } = sums;
      const interval = wilsonInterval({ x: converters, n: users }, alpha);
      if (interval.status !== 'ok') return { ...total(0, users), value: null };
      const { estimate, lower, upper } = interval;
      const standardError = Math.sqrt((estimate * (1 - estimate)) / users);
      return {
        value: estimate,
        sampleSize: users,
        numerator: converters,
        denominator: users,
        standardError,
        lower,
        upper,
      };
    }
    case 'unique_users':
      return total(sums.converters, sums.users);
    case 'event_count':
      return total(sums.events, sums.users);
    case 'sum_value':
      return total(sums.total, sums.users);
    case 'events_per_user':
      return armOfSample(perUser(metric, sums), sums.events, sums.users, alpha);
    case 'value_per_user':
      return armOfSample(perUser(metric, sums), sums.total, sums.users, alpha);
    case 'avg_value': {
      const ratio = averageValue(sums, shift);
      if (ratio.status !== 'ok') return { ...total(0, sums.valued), value: null };
      return armOfSample(ratio.sample, sums.total, sums.valued, alpha);
    }
    case 'median_value':
      return { ...total(0, sums.valued), value: quantiles?.median ?? null };
    case 'p95_value':
      return { ...total(0, sums.valued), value: quantiles?.p95 ?? null };
  }
}

const REFUSED: VersusControl = {
  difference: null,
  standard_error: null,
  ci_lower: null,
  ci_upper: null,
  lift: null,
  lift_ci_lower: null,
  lift_ci_upper: null,
  p_value: null,
  p_value_adjusted: null,
  significant: false,
  test: null,
  status: 'ok',
};

function compareRates(treatment: VariantSums, control: VariantSums, alpha: number): VersusControl {
  const t = { x: treatment.converters, n: treatment.users };
  const c = { x: control.converters, n: control.users };
  const difference = scoreDifference(t, c, alpha);
  if (difference.status !== 'ok') return { ...REFUSED, status: difference.status };
  const lift = scoreLift(t, c, alpha);
  const isLift = lift.status === 'ok';
  const rate = ({ x, n }: typeof t): number => ((x / n) * (1 - x / n)) / n;
  return {
    ...REFUSED,
    difference: difference.diff,
    standard_error: Math.sqrt(rate(t) + rate(c)),
    ci_lower: difference.lower,
    ci_upper: difference.upper,
    lift: isLift ? lift.lift : null,
    lift_ci_lower: isLift ? finite(lift.liftLower) : null,
    lift_ci_upper: isLift ? finite(lift.liftUpper) : null,
    p_value: difference.pValue,
    test: 'miettinen_nurminen',
    // Without a success in the control there is no lift, but there is a difference.
    status: isLift && lift.lift === null ? 'ZERO_BASELINE' : 'ok',
  };
}

function compareMeans(
  treatment: Sample,
  control: Sample,
  alpha: number,
  test: string,
): VersusControl {
  const welch = welchDifference(treatment, control, alpha);
  if (welch.status !== 'ok') {
    const difference = finite(welch.diff);
    // Two constant arms cannot be tested, but they can be compared.
    const hasLift = welch.status === 'ZERO_VARIANCE' && difference !== null && control.mean !== 0;
    const lift = hasLift ? difference / Math.abs(control.mean) : null;
    return { ...REFUSED, difference, lift, status: welch.status };
  }
  const lift = fiellerLift(treatment, control, alpha);
  const isLift = lift.status === 'ok';
  return {
    ...REFUSED,
    difference: welch.diff,
    standard_error: welch.se,
    ci_lower: welch.lower,
    ci_upper: welch.upper,
    lift: isLift ? lift.lift : null,
    lift_ci_lower: isLift ? finite(lift.lower) : null,
    lift_ci_upper: isLift ? finite(lift.upper) : null,
    p_value: welch.pValue,
    test,
    status: isLift ? 'ok' : lift.status,
  };
}

/** Treatment against control; null for totals, and for quantiles until their method exists. */
function compare(
  metric: BuiltInMetric,
  treatment: VariantSums,
  control: VariantSums,
  shift: Shift,
  alpha: number,
): VersusControl | null {
  switch (metric) {
    case 'conversion_rate':
      return compareRates(treatment, control, alpha);
    case 'events_per_user':
    case 'value_per_user':
      return compareMeans(perUser(metric, treatment), perUser(metric, control), alpha, 'welch');
    case 'avg_value': {
      const t = averageValue(treatment, shift);
      const c = averageValue(control, shift);
      if (t.status !== 'ok') return { ...REFUSED, status: t.status };
      if (c.status !== 'ok') return { ...REFUSED, status: c.status };
      return compareMeans(t.sample, c.sample, alpha, 'welch_delta');
    }
    case 'unique_users':
    case 'event_count':
    case 'sum_value':
    case 'median_value':
    case 'p95_value':
      return null;
  }
}

/**
 * One metric of one variant.
 *
 * @param control the control's data; undefined for the control itself
 * @param alpha two-sided
 */
export function metricResult(
  metric: BuiltInMetric,
  data: ArmData,
  control: ArmData | undefined,
  shift: Shift,
  alpha: number,
): MetricResult {
  const arm = armOf(metric, data, shift, alpha);
  const versus =
    control === undefined ? null : compare(metric, data.sums, control.sums, shift, alpha);
  return {
    value: arm.value,
    sample_size: arm.sampleSize,
    numerator: arm.numerator,
    denominator: arm.denominator,
    standard_error: arm.standardError,
    ci_lower: finite(arm.lower),
    ci_upper: finite(arm.upper),
    lift_vs_control: versus?.lift === null || versus === null ? null : versus.lift * 100,
    vs_control: versus,
  };
}
