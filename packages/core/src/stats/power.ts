import { normalIsf, normalSf } from './distributions/normal.ts';
import { findRoot } from './distributions/root.ts';

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

/** The smallest difference of two means that is found with the given power. */
export function meanMde(options: {
  readonly sd: number;
  readonly nControl: number;
  readonly nTreatment: number;
  readonly alpha: number;
  readonly power: number;
  /** Correlation of the metric with its pre-period covariate, 0 without CUPED. */
  readonly cupedCorrelation?: number;
  readonly sided?: 1 | 2;
}): number {
  const { sd, nControl, nTreatment, alpha, power, cupedCorrelation: rho = 0, sided = 2 } = options;
  const se = sd * Math.sqrt((1 - rho * rho) * (1 / nControl + 1 / nTreatment));
  return (normalIsf(alpha / sided) + normalIsf(1 - power)) * se;
}

export interface ProportionMde {
  /** Distances above and below the control's rate; null where 0…1 leaves no room. */
  readonly up: number | null;
  readonly down: number | null;
}

/** The smallest change of a proportion, in each direction, that is found with the given power. */
export function proportionMde(options: {
  readonly pControl: number;
  readonly nControl: number;
  /** n_T / n_C. */
  readonly allocationRatio: number;
  readonly alpha: number;
  readonly power: number;
  readonly sided?: 1 | 2;
}): ProportionMde {
  const { pControl, nControl, allocationRatio: k, alpha, power, sided = 2 } = options;
  const z = normalIsf(alpha / sided);
  const shortfall = (p: number): number => {
    const pooled = (pControl + k * p) / (1 + k);
    const sdNull = Math.sqrt((1 + 1 / k) * pooled * (1 - pooled));
    const sdEffect = Math.sqrt(pControl * (1 - pControl) + (p * (1 - p)) / k);
    const distance = Math.abs(p - pControl) * Math.sqrt(nControl);
    if (sdEffect === 0) return distance > z * sdNull ? 1 : -1;
    return normalSf((z * sdNull - distance) / sdEffect) - power;
  };
  const reach = (end: 0 | 1): number | null => {
    if (shortfall(end) < 0) return null;
    const start = pControl + (end - pControl) * 1e-12;
    return Math.abs(findRoot(shortfall, start, end, 1e-15) - pControl);
  };
  return { up: reach(1), down: reach(0) };
}
