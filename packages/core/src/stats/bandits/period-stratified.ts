import { mergeStrata, type Stratum } from '../adjustment/post-stratification.ts';
import { normalSf } from '../distributions/normal.ts';
import { type DifferenceOnly, isSample, type MeanDifference, tDifference } from '../means/welch.ts';
import { isLevel, type Outcome, refuse } from '../outcome.ts';

/** A comparison within the periods of a bandit, in each of which the split was constant. */
export interface PeriodStratified extends MeanDifference {
  /** After periods with too few units were merged. */
  readonly periodsUsed: number;
  /** The test by batched least squares; null where the metric did not vary in a period. */
  readonly bolsZ: number | null;
  /** Two-sided, of `bolsZ`. */
  readonly bolsPValue: number | null;
}

const units = ({ treatment, control }: Stratum): number => treatment.n + control.n;

/** Adds periods to the next one until each has two units in both arms, the last to the one before. */
function mergeShort(periods: readonly Stratum[]): readonly Stratum[] {
  const merged: Stratum[] = [];
  let open: Stratum | null = null;
  for (const period of periods) {
    open = open === null ? period : mergeStrata(open, period);
    if (open.treatment.n < 2 || open.control.n < 2) continue;
    merged.push(open);
    open = null;
  }
  const last = merged.pop();
  if (last === undefined) return [];
  return [...merged, open === null ? last : mergeStrata(last, open)];
}

/** Student's z of a period, with one variance for both arms. */
function pooledZ({ treatment, control }: Stratum): number {
  const squares = (treatment.n - 1) * treatment.variance + (control.n - 1) * control.variance;
  const variance = squares / (treatment.n + control.n - 2);
  const se = Math.sqrt(variance * (1 / treatment.n + 1 / control.n));
  return (treatment.mean - control.mean) / se;
}

/**
 * The difference of two arms of a bandit. Pooled means would mix the change of the split with that of
 * the metric over time, so arms are compared within periods, weighted by their units. Estimate and
 * interval are by the normal distribution; for a decision there is the test by batched least squares
 * (Zhang, Janson & Murphy 2020), which holds when the split of a period depends on the past alone and
 * no arm is without a share. Refuses INVALID_INPUT, NO_UNITS and, below two units in an arm,
 * INSUFFICIENT_UNITS; and ZERO_VARIANCE, with the difference.
 *
 * @param periods in the order of time; ones with fewer than two units in an arm are merged
 * @param alpha two-sided, 0 < alpha < 1
 */
export function periodStratifiedDifference(
  periods: readonly Stratum[],
  alpha: number,
): Outcome<PeriodStratified, DifferenceOnly> {
  const isValid = periods.every(
    ({ treatment, control }) => isSample(treatment) && isSample(control),
  );
  if (!isValid || !isLevel(alpha)) return refuse('INVALID_INPUT');
  const isEmpty = (arm: keyof Stratum): boolean => periods.every((period) => period[arm].n === 0);
  if (isEmpty('treatment') || isEmpty('control')) return refuse('NO_UNITS');
  const used = mergeShort(periods);
  if (used.length === 0) return refuse('INSUFFICIENT_UNITS');
  const total = used.reduce((sum, period) => sum + units(period), 0);
  let diff = 0;
  let square = 0;
  for (const period of used) {
    const { treatment, control } = period;
    const weight = units(period) / total;
    diff += weight * (treatment.mean - control.mean);
    square += weight ** 2 * (treatment.variance / treatment.n + control.variance / control.n);
  }
  if (square === 0) return { status: 'ZERO_VARIANCE', diff };
  const isTested = used.every((p) => p.treatment.variance > 0 || p.control.variance > 0);
  const sumZ = used.reduce((sum, period) => sum + pooledZ(period), 0);
  const bolsZ = isTested ? sumZ / Math.sqrt(used.length) : null;
  return {
    status: 'ok',
    ...tDifference(diff, Math.sqrt(square), Number.POSITIVE_INFINITY, alpha),
    periodsUsed: used.length,
    bolsZ,
    bolsPValue: bolsZ === null ? null : Math.min(1, 2 * normalSf(Math.abs(bolsZ))),
  };
}
