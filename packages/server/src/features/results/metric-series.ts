import { type JointMoments, mergeJointMoments } from '@assay/core/stats';
import {
  armDataOf,
  momentsOf,
  type Numbers,
  numbersOf,
  sizesOf,
  symmetric,
  withoutNoise,
  zeroMoments,
} from './arm-data.ts';
import { bucketsBetween } from './buckets.ts';
import { type Plan, type PlannedMetric, planOf } from './plan.ts';
import type {
  ArmStatistics,
  MetricCaps,
  MetricSeries,
  MetricSeriesRow,
  Question,
} from './question.ts';
import { layoutOf, type MetricSums, pairsOf, widthOf } from './sums.ts';

const DAY_SECONDS = 86_400;

/**
 * What the series of metrics need beside the metrics: the constants that sums are about, and what
 * totals are cut to, both as they are over the whole time.
 */
export interface SeriesPlan {
  readonly plan: Plan;
  readonly constants: readonly number[];
  /** By the place of the value; undefined for those that are not cut. */
  readonly caps: ReadonlyMap<number, number>;
  readonly hasUsers: boolean;
}

/** Means of all arms together, in single precision, since any constant near them will do. */
function constantsOf(plan: Plan, arms: readonly ArmStatistics[]): readonly number[] {
  const constants: number[] = [];
  for (const [index, { parts }] of layoutOf(plan).metrics.entries()) {
    const key = plan.metrics[index]?.metric.key;
    const data = arms.flatMap((arm) =>
      arm.metric === key && !('segment' in arm) ? [arm.data] : [],
    );
    for (const [i, { residual, shift }] of parts.entries()) {
      const users = data.reduce((sum, each) => sum + ('moments' in each ? each.moments.n : 0), 0);
      const total = data.reduce(
        (sum, each) => sum + ('moments' in each ? each.moments.n * (each.moments.mean[i] ?? 0) : 0),
        0,
      );
      const [first] = data;
      if (residual !== null) constants[residual.about] = first?.kind === 'ratio' ? first.about : 0;
      if (shift !== null) constants[shift] = users === 0 ? 0 : Math.fround(total / users);
    }
  }
  return constants;
}

/** Out of the answer for the whole time. */
export function seriesPlanOf(
  { metrics }: Question,
  arms: readonly ArmStatistics[],
  allCaps: readonly MetricCaps[],
): SeriesPlan {
  const plan = planOf(metrics, false);
  const caps = new Map<number, number>();
  for (const planned of plan.metrics) {
    const own = allCaps.find(({ metric }) => metric === planned.metric.key);
    if (own === undefined) continue;
    if (own.numerator !== null) caps.set(planned.value, own.numerator);
    if ('denominator' in planned && own.denominator !== null) {
      caps.set(planned.denominator, own.denominator);
    }
  }
  return { plan, constants: constantsOf(plan, arms), caps, hasUsers: arms.length > 0 };
}

/** The users of a variant who have something in a bucket, as both stores select them. */
export interface PointRow {
  readonly variant_id: number;
  /** Seconds since the epoch, or days since the assignment. */
  readonly at: number;
  readonly users: number;
  /** In the order of `growthSql` for the cumulative series, of `spreadSql` for the others. */
  readonly numbers: readonly number[];
}

/** Users of a variant who count from one bucket on, up to and without another; null: for good. */
export interface SpanRow {
  readonly variant_id: number;
  readonly users: number;
  readonly from_at: number;
  readonly to_at: number | null;
}

/** One bucket of a variant: all who count there, and those with something in it. */
interface Bucket {
  readonly variantId: number;
  readonly at: number;
  readonly n: number;
  readonly row: PointRow | undefined;
}

/**
 * The buckets of a series. Days go on to its end, since those on which nothing happens are zeros too;
 * days of age to the last that somebody lived.
 */
function timesOf(
  series: MetricSeries,
  { start, seriesEnd }: Question,
  points: readonly PointRow[],
  spans: readonly SpanRow[],
): readonly number[] {
  const counted = points.map(({ at }) => at);
  if (series !== 'days_since_assignment') {
    const seen = [...spans.map(({ from_at }) => from_at), ...counted];
    return bucketsBetween(start, seriesEnd, DAY_SECONDS, seen);
  }
  const ends = spans.map(({ from_at, to_at }) => to_at ?? from_at + 1);
  const length = [...ends, ...counted.map((at) => at + 1)].reduce((a, b) => Math.max(a, b), 0);
  return Array.from({ length }, (_, day) => day);
}

/** Every bucket of a series in which there is a user. */
function bucketsOf(
  series: MetricSeries,
  question: Question,
  points: readonly PointRow[],
  spans: readonly SpanRow[],
): readonly Bucket[] {
  const times = timesOf(series, question, points, spans);
  return [...new Set(spans.map(({ variant_id }) => variant_id))].flatMap((variantId) => {
    const own = points.filter((row) => row.variant_id === variantId);
    const rows = new Map(own.map((row) => [row.at, row]));
    const changes = spans
      .filter((row) => row.variant_id === variantId)
      .flatMap(({ users, from_at, to_at }) => [
        { at: from_at, users },
        ...(to_at === null ? [] : [{ at: to_at, users: -users }]),
      ])
      .sort((a, b) => a.at - b.at);
    const buckets: Bucket[] = [];
    let n = 0;
    let next = 0;
    for (const at of times) {
      for (
        let change = changes[next];
        change !== undefined && change.at <= at;
        change = changes[++next]
      ) {
        n += change.users;
      }
      if (n > 0) buckets.push({ variantId, at, n, row: rows.get(at) });
    }
    return buckets;
  });
}

/** Of those with something in the bucket, and of the others, who have nothing. */
function momentsWithin(
  sums: MetricSums,
  n: number,
  { n: users, totals, firsts, seconds }: Numbers,
  constants: readonly number[],
): JointMoments {
  const width = firsts.length;
  const products = symmetric(width, seconds).map((row) => row.map((product) => users * product));
  const moments = mergeJointMoments(
    { n: users, mean: firsts, products },
    zeroMoments(n - users, width),
  );
  return withoutNoise(moments, sizesOf(sums, (totals[0] ?? 0) / n, moments.mean, constants));
}

/** Of users who begin at nothing, and whose sums grew so much since. */
function momentsOfGrown(
  sums: MetricSums,
  n: number,
  grown: Numbers,
  constants: readonly number[],
): JointMoments {
  const begin = sums.parts.map(({ shift }) => (shift === null ? 0 : -(constants[shift] ?? 0)));
  const products = pairsOf(begin).map(([a, b]) => n * a * b);
  return momentsOf(
    sums,
    {
      n,
      totals: grown.totals,
      firsts: grown.firsts.map((sum, i) => sum + n * (begin[i] ?? 0)),
      seconds: grown.seconds.map((sum, i) => sum + (products[i] ?? 0)),
    },
    constants,
  );
}

/**
 * Every point of one series of every metric of the plan, in the order of time. Users without
 * anything are zeros; without a user there is no point.
 */
export function toMetricSeries(
  series: MetricSeries,
  question: Question,
  { plan, constants }: SeriesPlan,
  points: readonly PointRow[],
  spans: readonly SpanRow[],
): readonly MetricSeriesRow[] {
  const layout = layoutOf(plan);
  const width = layout.metrics.reduce((sum, sums) => sum + widthOf(sums), 0);
  const nothing = Array<number>(width).fill(0);
  let grown = nothing;
  let variant: number | undefined;
  return bucketsOf(series, question, points, spans).flatMap(({ variantId, at, n, row }) => {
    const list = row?.numbers ?? nothing;
    if (variantId !== variant) grown = nothing;
    variant = variantId;
    grown = grown.map((sum, i) => sum + (list[i] ?? 0));
    const isGrowing = series === 'cumulative';
    const numbers = numbersOf(plan, row?.users ?? 0, isGrowing ? grown : list);
    return plan.metrics.flatMap((planned: PlannedMetric, index) => {
      const sums = layout.metrics[index];
      const own = numbers[index];
      if (sums === undefined || own === undefined) return [];
      const moments = isGrowing
        ? momentsOfGrown(sums, n, own, constants)
        : momentsWithin(sums, n, own, constants);
      const data = armDataOf(planned, sums, { n, totals: own.totals }, moments, constants);
      return [{ series, metric: planned.metric.key, variantId, at, data }];
    });
  });
}
