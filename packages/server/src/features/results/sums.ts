import type { Plan, PlannedMetric, Value } from './plan.ts';

// The sums that both stores take over the values of users. The SQL here is such as PostgreSQL and
// ClickHouse read alike: columns t0, t1 … of each user, caps cap0 …, values v0 …, and constants
// k0 … that deviations are about.

/**
 * A user's sum below this is zero, in both stores: its square would underflow, which PostgreSQL
 * answers with an error. The contract bounds values from above for the same reason.
 */
export const TINY = 1e-30;
/** In single precision there is nothing beyond; a mean so large is not subtracted. */
const HUGE = 1e37;

const valueSql = ({ column, isAny, cap }: Value, index: number): string => {
  if (isAny) return `least(t${column}, 1.0)`;
  return cap === null ? `t${column}` : `least(t${column}, cap${index})`;
};

/** The values of a user, out of the columns and the caps. */
export const valuesSql = ({ values }: Plan): readonly string[] =>
  values.map((value, index) => `${valueSql(value, index)} AS v${index}`);

/** The values that are cut, with what they are cut to. */
export const capNames = ({ values }: Plan): readonly string[] =>
  values.flatMap(({ cap }, index) => (cap === null ? [] : [`cap${index}`]));

/** A mean of values, or the ratio of the sums of two. */
type Constant = readonly [number] | readonly [number, number];

/** One component of a vector per user: a value, or what it has beyond its share of another. */
interface Part {
  readonly value: number;
  readonly residual: { readonly of: number; readonly about: number } | null;
  /** The place of the constant near its mean, which is subtracted; null: its mean is near 0. */
  readonly shift: number | null;
}

/** What is summed for a metric. */
export interface MetricSums {
  /** Values that are summed as they are. */
  readonly totals: readonly number[];
  readonly parts: readonly Part[];
}

export interface Layout {
  readonly constants: readonly Constant[];
  readonly metrics: readonly MetricSums[];
}

export function layoutOf({ metrics }: Pick<Plan, 'metrics'>): Layout {
  const constants: Constant[] = [];
  const deviation = (value: number): Part => ({
    value,
    residual: null,
    shift: constants.push([value]) - 1,
  });
  const residual = (value: number, of: number): Part => ({
    value,
    residual: { of, about: constants.push([value, of]) - 1 },
    shift: null,
  });
  const sumsOf = (planned: PlannedMetric): MetricSums => {
    const { value, valueBefore } = planned;
    if (!('denominator' in planned)) {
      // Of a rate the count says all.
      if (planned.metric.kind === 'rate' && valueBefore === null) {
        return { totals: [value], parts: [] };
      }
      const before = valueBefore === null ? [] : [deviation(valueBefore)];
      return { totals: [value], parts: [deviation(value), ...before] };
    }
    const { denominator, denominatorBefore } = planned;
    const before =
      valueBefore === null || denominatorBefore === null
        ? []
        : [residual(valueBefore, denominatorBefore), deviation(denominatorBefore)];
    return {
      totals: [value, denominator],
      parts: [residual(value, denominator), deviation(denominator), ...before],
    };
  };
  return { metrics: metrics.map(sumsOf), constants };
}

export const constantNames = (plan: Plan): readonly string[] =>
  layoutOf(plan).constants.map((_, index) => `k${index}`);

/** In single precision, so that both stores choose one number though their sums differ in the last bits. */
const rounded = (mean: string): string =>
  `CASE WHEN abs(${mean}) BETWEEN ${TINY} AND ${HUGE}
     THEN CAST(CAST(${mean} AS real) AS double precision) ELSE 0 END`;

/** The constants, of all users together. @param over `OVER ()` where they are taken in passing */
export function constantsSql(plan: Plan, over = ''): readonly string[] {
  const sum = (value: number): string => `sum(v${value}) ${over}`;
  return layoutOf(plan).constants.map(([value, of], index) => {
    const divisor =
      of === undefined
        ? `count(*) ${over}`
        : `(CASE WHEN ${sum(of)} = 0 THEN 1 ELSE ${sum(of)} END)`;
    return `${rounded(`(${sum(value)} / ${divisor})`)} AS k${index}`;
  });
}

/** The component, of values named by this letter; without the shift it is about 0. */
function partSql({ value, residual, shift }: Part, letter: string, isShifted = true): string {
  const own = `${letter}${value}`;
  if (residual !== null) return `(${own} - k${residual.about} * ${letter}${residual.of})`;
  return shift === null || !isShifted ? own : `(${own} - k${shift})`;
}

/** The pairs i ≤ j of a symmetric matrix, row by row. */
export const pairsOf = <T>(items: readonly T[]): readonly (readonly [T, T])[] =>
  items.flatMap((a, i) => items.slice(i).map((b) => [a, b] as const));

/** All sums of a group of users, metric by metric: totals, components, products of components. */
export const sumsSql = (plan: Plan): readonly string[] =>
  layoutOf(plan).metrics.flatMap(({ totals, parts }) => [
    ...totals.map((value) => `sum(v${value})`),
    ...parts.map((part) => `sum(${partSql(part, 'v')})`),
    ...pairsOf(parts).map(([a, b]) => `sum(${partSql(a, 'v')} * ${partSql(b, 'v')})`),
  ]);

/** By how much these sums grow when values go from b0, b1 … to v0, v1 … */
export const growthSql = (plan: Plan): readonly string[] =>
  layoutOf(plan).metrics.flatMap(({ totals, parts }) => [
    ...totals.map((value) => `sum(v${value} - b${value})`),
    ...parts.map((part) => `sum(${partSql(part, 'v')} - ${partSql(part, 'b')})`),
    ...pairsOf(parts).map(
      ([a, b]) =>
        `sum(${partSql(a, 'v')} * ${partSql(b, 'v')} - ${partSql(a, 'b')} * ${partSql(b, 'b')})`,
    ),
  ]);

/** The names of a store's aggregates that are exact without a constant to subtract. */
export interface StableAggregates {
  readonly variance: string;
  readonly covariance: string;
}

/** Means and covariances instead of sums, for groups of which no constant is known before. */
export const spreadSql = (
  plan: Plan,
  { variance, covariance }: StableAggregates,
): readonly string[] =>
  layoutOf(plan).metrics.flatMap(({ totals, parts }) => {
    const raw = parts.map((part) => partSql(part, 'v', false));
    return [
      ...totals.map((value) => `sum(v${value})`),
      ...raw.map((part) => `avg(${part})`),
      ...pairsOf(raw).map(([a, b]) =>
        a === b ? `${variance}(${a})` : `${covariance}(${a}, ${b})`,
      ),
    ];
  });

/** How many numbers each of these lists has for a metric. */
export const widthOf = ({ totals, parts }: MetricSums): number =>
  totals.length + parts.length + (parts.length * (parts.length + 1)) / 2;
