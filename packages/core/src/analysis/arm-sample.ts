import type { Flag, JointMoments, Outcome, Sample } from '../stats/index.ts';
import { quantileError, ratioOfMoments } from '../stats/index.ts';
import { isCount, refuse } from '../stats/outcome.ts';
import { isRounding, withoutResidue } from './rounding.ts';
import type { ArmData, QuantileData, RateData, RatioData } from './types.ts';

// Every kind of metric as one sample for each arm: values of units with a mean and a variance, from
// which all methods but the score tests of rates go on.

/** An arm's values, as every test of means takes them. */
export interface ArmSample {
  readonly sample: Sample;
  readonly flags: readonly Flag[];
}

/** What is still known of an arm without a sample: its value. */
export type ArmSampleOutcome = Outcome<ArmSample, { readonly value?: number }>;

/** The means over all arms: about them the stores sum, so that what is left cancelled against them. */
function centreOf(arms: readonly JointMoments[]): readonly number[] {
  const total = arms.reduce((sum, { n }) => sum + n, 0);
  const width = Math.max(0, ...arms.map(({ mean }) => mean.length));
  return Array.from({ length: width }, (_, i) =>
    arms.reduce((sum, { n, mean }) => (n > 0 ? sum + (n / total) * (mean[i] ?? 0) : sum), 0),
  );
}

/** The moments of all arms; values that do not vary within an arm but for rounding do not at all. */
function cleanMoments(arms: readonly JointMoments[]): readonly JointMoments[] {
  const centre = centreOf(arms);
  return arms.map((moments) => {
    const { n, mean, products } = moments;
    const isNoiseAt = (value: number, i: number): boolean => {
      const square = products[i]?.[i] ?? 0;
      const offset = value - (centre[i] ?? 0);
      return isRounding(square / n, value, square / n + offset * offset);
    };
    if (!mean.some(isNoiseAt)) return moments;
    const isNoise = mean.map(isNoiseAt);
    return {
      n,
      mean,
      products: products.map((row, i) =>
        row.map((product, j) => (isNoise[i] || isNoise[j] ? 0 : product)),
      ),
    };
  });
}

function rateSample({ n, x }: RateData): ArmSampleOutcome {
  if (!isCount(n) || !isCount(x) || x > n) return refuse('INVALID_INPUT');
  if (n === 0) return refuse('NO_UNITS');
  // Below two units NaN: there is no variance.
  const variance = ((x / n) * (n - x)) / (n - 1);
  return { status: 'ok', sample: { n, mean: x / n, variance }, flags: [] };
}

function meanSample({ n, mean, products }: JointMoments): ArmSampleOutcome {
  if (n === 0) return refuse('NO_UNITS');
  const [value = Number.NaN] = mean;
  const variance = n < 2 ? Number.NaN : (products[0]?.[0] ?? Number.NaN) / (n - 1);
  return {
    status: 'ok',
    sample: { n, mean: withoutResidue(value, variance), variance },
    flags: [],
  };
}

function ratioOf({ numerator, denominator, moments }: RatioData): ArmSampleOutcome {
  // A sum of deviations would leave rounding where nothing was counted.
  if (denominator === 0 && moments.n > 0) return refuse('ZERO_DENOMINATOR');
  // The ratio of the residuals is the ratio less `about`, and has its variance.
  const outcome = ratioOfMoments(moments);
  if (outcome.status !== 'ok') return outcome;
  const { sample, flags } = outcome;
  const ratio = numerator / denominator;
  const variance = isRounding(sample.variance, ratio) ? 0 : sample.variance;
  return {
    status: 'ok',
    sample: { n: moments.n, mean: withoutResidue(ratio, variance), variance },
    flags,
  };
}

/** A quantile as the mean of its users, with the variance that gives its standard error. */
function quantileSample(data: QuantileData, alpha: number): ArmSampleOutcome {
  const { p, clusters, events, value, lower, upper, sums } = data;
  if (value === null || lower === null || upper === null) return refuse('NO_UNITS');
  if (!Number.isFinite(value)) return refuse('INVALID_INPUT');
  const error = quantileError({
    p,
    nEvents: events,
    nClusters: clusters,
    sumBelow: sums.below,
    sumEvents: events,
    sumBelowSquares: sums.belowSquares,
    sumEventsSquares: sums.eventsSquares,
    sumProduct: sums.product,
    quantileLower: lower,
    quantileUpper: upper,
    alpha,
  });
  if (error.status !== 'ok') return { status: error.status, value };
  const variance = error.seClustered ** 2 * clusters;
  return { status: 'ok', sample: { n: clusters, mean: value, variance }, flags: [] };
}

/**
 * An arm's sample. Refuses INVALID_INPUT, NO_UNITS and ZERO_DENOMINATOR, and of a quantile what
 * `quantileError` refuses; below two units its variance is NaN, which tests then refuse.
 *
 * @param data with clean moments
 * @param alpha with which the ranks of a quantile's bounds were chosen
 */
export function sampleOf(data: ArmData, alpha: number): ArmSampleOutcome {
  switch (data.kind) {
    case 'rate':
      return rateSample(data);
    case 'mean':
      return meanSample(data.moments);
    case 'ratio':
      return ratioOf(data);
    case 'quantile':
      return quantileSample(data, alpha);
  }
}

/** Users of an arm, with and without events. */
export function usersOf(data: ArmData): number {
  switch (data.kind) {
    case 'rate':
      return data.n;
    case 'mean':
    case 'ratio':
      return data.moments.n;
    case 'quantile':
      return data.users;
  }
}

const momentsOf = (data: ArmData): JointMoments | null =>
  data.kind === 'rate' ? data.joint : data.kind === 'quantile' ? null : data.moments;

function withMoments(data: ArmData, moments: JointMoments): ArmData {
  switch (data.kind) {
    case 'rate':
      return { ...data, joint: moments };
    case 'mean':
    case 'ratio':
      return { ...data, moments };
    case 'quantile':
      return data;
  }
}

/** The data of all arms, freed of rounding that would pass for variance. */
export function withoutRounding(arms: readonly ArmData[]): readonly ArmData[] {
  const own = arms.flatMap((data) => momentsOf(data) ?? []);
  if (own.length === 0) return arms;
  const clean = cleanMoments(own);
  let next = 0;
  return arms.map((data) => {
    const before = momentsOf(data);
    const moments = before === null ? undefined : clean[next++];
    return moments === undefined || moments === before ? data : withMoments(data, moments);
  });
}
