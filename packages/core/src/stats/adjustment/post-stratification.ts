import { tIsf } from '../distributions/student.ts';
import { fiellerInterval, type MeanLift } from '../means/lift.ts';
import { isSample, type MeanDifference, type Sample, tDifference } from '../means/welch.ts';
import { type Moments, mergeMoments } from '../moments.ts';
import { isLevel, type Outcome, refuse } from '../outcome.ts';

/** Both arms of one stratum, which is an attribute from before exposure. */
export interface Stratum {
  readonly treatment: Sample;
  readonly control: Sample;
}

/** A comparison weighted by strata. */
export interface PostStratified extends MeanDifference {
  /** After small strata were merged. */
  readonly strataUsed: number;
  readonly meanTreatment: number;
  readonly meanControl: number;
  /** Null when the control mean is zero. */
  readonly lift: MeanLift | null;
}

const toMoments = ({ n, mean, variance }: Sample): Moments => ({
  n,
  mean,
  m2: n < 2 ? 0 : variance * (n - 1),
});

function mergeSamples(a: Sample, b: Sample): Sample {
  const { n, mean, m2 } = mergeMoments(toMoments(a), toMoments(b));
  return { n, mean, variance: n < 2 ? 0 : m2 / (n - 1) };
}

/** Two strata as one. */
export const mergeStrata = (a: Stratum, b: Stratum): Stratum => ({
  treatment: mergeSamples(a.treatment, b.treatment),
  control: mergeSamples(a.control, b.control),
});

const isSmall = ({ treatment, control }: Stratum): boolean => treatment.n < 2 || control.n < 2;
const size = ({ treatment, control }: Stratum): number => treatment.n + control.n;

/** Puts strata with fewer than two units in an arm into the largest one. */
function mergeSmall(strata: readonly Stratum[]): readonly Stratum[] {
  const ordered = [...strata].sort((a, b) => size(b) - size(a));
  const [largest, ...rest] = ordered;
  if (largest === undefined) return [];
  const merged = rest.filter(isSmall).reduce(mergeStrata, largest);
  const kept = [merged, ...rest.filter((stratum) => !isSmall(stratum))];
  // A lopsided largest stratum may itself lack an arm; then the next one takes it in.
  return isSmall(merged) && kept.length > 1 ? mergeSmall(unite(kept)) : kept;
}

/** The first two strata as one. */
function unite(strata: readonly Stratum[]): readonly Stratum[] {
  const [first, second, ...rest] = strata;
  if (first === undefined || second === undefined) return strata;
  return [mergeStrata(first, second), ...rest];
}

/**
 * The difference of means within strata, weighted by their sizes (Miratrix, Sekhon & Yu 2013), with
 * the variance of random stratum sizes. Refuses INVALID_INPUT, NO_UNITS, INSUFFICIENT_UNITS and
 * ZERO_VARIANCE.
 *
 * @param strata at most some twenty; ones with fewer than two units in an arm are merged
 * @param alpha two-sided, 0 < alpha < 1
 */
export function postStratifiedDifference(
  strata: readonly Stratum[],
  alpha: number,
): Outcome<PostStratified, { readonly diff?: number }> {
  const isValid = strata.every(
    ({ treatment, control }) => isSample(treatment) && isSample(control),
  );
  if (!isValid || !isLevel(alpha)) return refuse('INVALID_INPUT');
  const units = (arm: keyof Stratum): number => strata.reduce((sum, s) => sum + s[arm].n, 0);
  if (units('treatment') === 0 || units('control') === 0) return refuse('NO_UNITS');
  if (units('treatment') < 2 || units('control') < 2) {
    const { treatment, control } = strata.reduce(mergeStrata);
    return { status: 'INSUFFICIENT_UNITS', diff: treatment.mean - control.mean };
  }
  const used = mergeSmall(strata.filter((stratum) => size(stratum) > 0));
  const total = used.reduce((sum, stratum) => sum + size(stratum), 0);
  const weighted = (of: (stratum: Stratum) => number): number =>
    used.reduce((sum, stratum) => sum + (size(stratum) / total) * of(stratum), 0);
  const meanTreatment = weighted(({ treatment }) => treatment.mean);
  const meanControl = weighted(({ control }) => control.mean);
  const within = (arm: keyof Stratum): number =>
    used.reduce((sum, stratum) => {
      const weight = size(stratum) / total;
      return sum + (weight * weight * stratum[arm].variance) / stratum[arm].n;
    }, 0);
  const between = (a: keyof Stratum, b: keyof Stratum): number => {
    const centre = { treatment: meanTreatment, control: meanControl };
    return weighted((s) => (s[a].mean - centre[a]) * (s[b].mean - centre[b])) / total;
  };
  const pair = {
    treatment: meanTreatment,
    control: meanControl,
    varianceTreatment: within('treatment') + between('treatment', 'treatment'),
    varianceControl: within('control') + between('control', 'control'),
    covariance: between('treatment', 'control'),
  };
  const diff = weighted(({ treatment, control }) => treatment.mean - control.mean);
  const betweenDiff =
    weighted(({ treatment, control }) => (treatment.mean - control.mean - diff) ** 2) / total;
  const se = Math.sqrt(within('treatment') + within('control') + betweenDiff);
  if (se === 0) return { status: 'ZERO_VARIANCE', diff };
  const df = total - 2 * used.length;
  if (df < 1) return { status: 'INSUFFICIENT_UNITS', diff };
  return {
    status: 'ok',
    ...tDifference(diff, se, df, alpha),
    strataUsed: used.length,
    meanTreatment,
    meanControl,
    lift: meanControl === 0 ? null : fiellerInterval(pair, tIsf(alpha / 2, df)),
  };
}
