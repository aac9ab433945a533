import { normalIsf, normalSf } from '../distributions/normal.ts';
import { findRoot } from '../numeric/root.ts';
import { isLevel, isPositive, type Outcome, refuse } from '../outcome.ts';
import { isPowerOptions, type PowerOptions, zAlpha } from './options.ts';

/** Standard deviations of a difference of rates, for one unit in the control. */
interface RateDeviations {
  /** When both rates are the same. */
  readonly pooled: number;
  readonly unpooled: number;
}

/** @param k n_T / n_C */
function deviations(pControl: number, pTreatment: number, k: number): RateDeviations {
  const pooled = (pControl + k * pTreatment) / (1 + k);
  return {
    pooled: Math.sqrt((1 + 1 / k) * pooled * (1 - pooled)),
    unpooled: Math.sqrt(pControl * (1 - pControl) + (pTreatment * (1 - pTreatment)) / k),
  };
}

const isRate = (p: number): boolean => p >= 0 && p <= 1;

/** How many units a comparison of rates needs. */
export interface ProportionSampleSize {
  /** With the pooled variance under the null hypothesis, as in R's power.prop.test. */
  readonly nControlPooled: number;
  readonly nControlUnpooled: number;
  readonly nControlCeil: number;
  readonly nTreatmentCeil: number;
}

/**
 * Units per arm that tell two rates apart. Refuses INVALID_INPUT, for equal rates too.
 *
 * @param plan.allocationRatio n_T / n_C; 1 when absent
 */
export function proportionSampleSize(
  plan: PowerOptions & {
    readonly pControl: number;
    readonly pTreatment: number;
    readonly allocationRatio?: number;
  },
): Outcome<ProportionSampleSize> {
  const { pControl, pTreatment, allocationRatio: k = 1 } = plan;
  const isValid = isPowerOptions(plan) && isRate(pControl) && isRate(pTreatment) && isPositive(k);
  if (!isValid || pControl === pTreatment) return refuse('INVALID_INPUT');
  const { pooled, unpooled } = deviations(pControl, pTreatment, k);
  const [zA, zB] = [zAlpha(plan), normalIsf(1 - plan.power)];
  const distance = pTreatment - pControl;
  const nControlPooled = ((zA * pooled + zB * unpooled) / distance) ** 2;
  return {
    status: 'ok',
    nControlPooled,
    nControlUnpooled: (((zA + zB) * unpooled) / distance) ** 2,
    nControlCeil: Math.ceil(nControlPooled),
    nTreatmentCeil: Math.ceil(k * nControlPooled),
  };
}

/** The chances that the test of two rates rejects. */
export interface ProportionPower {
  /** In the direction of the effect. */
  readonly power: number;
  readonly powerBothTails: number;
}

/** Power to tell two rates apart. Refuses INVALID_INPUT. */
export function proportionPower(
  plan: Pick<PowerOptions, 'alpha' | 'sided'> & {
    readonly pControl: number;
    readonly pTreatment: number;
    readonly nPerArm: number;
  },
): Outcome<ProportionPower> {
  const { pControl, pTreatment, nPerArm, alpha, sided = 2 } = plan;
  const isValid = isLevel(alpha) && isRate(pControl) && isRate(pTreatment) && isPositive(nPerArm);
  if (!isValid) return refuse('INVALID_INPUT');
  const { pooled, unpooled } = deviations(pControl, pTreatment, 1);
  if (unpooled === 0) return refuse('ZERO_VARIANCE');
  const threshold = normalIsf(alpha / sided) * pooled;
  const distance = Math.abs(pTreatment - pControl) * Math.sqrt(nPerArm);
  const power = normalSf((threshold - distance) / unpooled);
  const wrong = sided === 2 ? normalSf((threshold + distance) / unpooled) : 0;
  return { status: 'ok', power, powerBothTails: power + wrong };
}

/** The smallest changes of a rate that are found, as distances. */
export interface ProportionMde {
  /** Null where 0…1 leaves no room. */
  readonly mdeUp: number | null;
  readonly mdeUpRelative: number | null;
  readonly mdeDown: number | null;
}

/**
 * The smallest change of a rate, in each direction, that a plan finds. Refuses INVALID_INPUT.
 *
 * @param plan.allocationRatio n_T / n_C; 1 when absent
 */
export function proportionMde(
  plan: PowerOptions & {
    readonly pControl: number;
    readonly nControl: number;
    readonly allocationRatio?: number;
  },
): Outcome<ProportionMde> {
  const { pControl, nControl, allocationRatio: k = 1, power } = plan;
  const isValid = isPowerOptions(plan) && isRate(pControl) && isPositive(nControl);
  if (!isValid || !isPositive(k)) return refuse('INVALID_INPUT');
  const z = zAlpha(plan);
  // In the distance from the control's rate, which may be many orders of magnitude smaller than it.
  const excess = (direction: -1 | 1, logDistance: number): number => {
    const change = Math.exp(logDistance);
    const p = Math.min(1, Math.max(0, pControl + direction * change));
    const { pooled, unpooled } = deviations(pControl, p, k);
    const distance = change * Math.sqrt(nControl);
    if (unpooled === 0) return distance > z * pooled ? 1 : -1;
    return normalSf((z * pooled - distance) / unpooled) - power;
  };
  const reach = (direction: -1 | 1): number | null => {
    const room = direction === 1 ? 1 - pControl : pControl;
    if (room === 0 || excess(direction, Math.log(room)) < 0) return null;
    const f = (logDistance: number): number => excess(direction, logDistance);
    let low = Math.log(room) - 1;
    while (f(low) > 0 && low > -100) low -= 2;
    return Math.exp(findRoot(f, low, Math.log(room), 1e-15));
  };
  const [mdeUp, mdeDown] = [reach(1), reach(-1)];
  const mdeUpRelative = mdeUp === null || pControl === 0 ? null : mdeUp / pControl;
  return { status: 'ok', mdeUp, mdeUpRelative, mdeDown };
}
