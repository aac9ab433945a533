import type { ArmData } from '@assay/core/analysis';
import { type JointMoments, jointMomentsFromSums } from '@assay/core/stats';
import type { Plan, PlannedMetric, Value } from './plan.ts';
import type { ArmOf, ArmStatistics, ArmUsers, MetricCaps } from './question.ts';

// The sums that both stores take over the values of users, and what they mean. The SQL here is such
// as PostgreSQL and ClickHouse read alike: columns t0, t1 … of each user, caps cap0 …, values v0 …,
// constants k0 … that deviations are about.

/**
 * A user's sum below this is zero, in both stores: its square would underflow, which PostgreSQL
 * answers with an error. The contract bounds values from above for the same reason.
 */
export const TINY = 1e-30;
/** In single precision there is nothing beyond; a mean so large is not subtracted. */
const HUGE = 1e37;

/** The value v of a user, out of the columns. */
const valueSql = ({ column, isAny, cap }: Value, index: number): string => {
  if (isAny) return `least(t${column}, 1.0)`;
  return cap === null ? `t${column}` : `least(t${column}, cap${index})`;
};

export const valuesSql = ({ values }: Plan): string =>
  values.map((value, index) => `${valueSql(value, index)} AS v${index}`).join(', ');

/** A mean of values, or the ratio of the sums of two. */
type Constant = readonly [number] | readonly [number, number];

/** One component of a vector per user, less a constant near its mean. */
interface Part {
  readonly sql: string;
  /** The place of the constant that is its shift; null: about 0. */
  readonly shift: number | null;
}

interface MetricSums {
  /** Values that are summed as they are. */
  readonly totals: readonly number[];
  readonly parts: readonly Part[];
  /** The places of the ratios that residuals are about. */
  readonly about: number | null;
  readonly aboutBefore: number | null;
}

/** What is summed for a metric, and which constants it needs. */
interface Layout {
  readonly constants: readonly Constant[];
  readonly metrics: readonly MetricSums[];
}

function layoutOf({ metrics }: Plan): Layout {
  const constants: Constant[] = [];
  const constantOf = (...of: Constant): number => constants.push(of) - 1;
  const deviation = (value: number): Part => {
    const shift = constantOf(value);
    return { sql: `(v${value} - k${shift})`, shift };
  };
  const residual = (value: number, denominator: number, about: number): Part => ({
    sql: `(v${value} - k${about} * v${denominator})`,
    shift: null,
  });
  const sumsOf = (planned: PlannedMetric): MetricSums => {
    const { value, valueBefore } = planned;
    if (!('denominator' in planned)) {
      const before = valueBefore === null ? [] : [deviation(valueBefore)];
      // Of a rate the count says all.
      const isCount = planned.metric.kind === 'rate' && valueBefore === null;
      const parts = isCount ? [] : [deviation(value), ...before];
      return { totals: [value], parts, about: null, aboutBefore: null };
    }
    const { denominator, denominatorBefore } = planned;
    const about = constantOf(value, denominator);
    const parts = [residual(value, denominator, about), deviation(denominator)];
    const totals = [value, denominator];
    if (valueBefore === null || denominatorBefore === null) {
      return { totals, parts, about, aboutBefore: null };
    }
    const aboutBefore = constantOf(valueBefore, denominatorBefore);
    const before = [
      residual(valueBefore, denominatorBefore, aboutBefore),
      deviation(denominatorBefore),
    ];
    return { totals, parts: [...parts, ...before], about, aboutBefore };
  };
  return { metrics: metrics.map(sumsOf), constants };
}

/** In single precision, so that both stores choose one number though their sums differ in the last bits. */
const rounded = (mean: string): string =>
  `CASE WHEN abs(${mean}) BETWEEN ${TINY} AND ${HUGE}
     THEN CAST(CAST(${mean} AS real) AS double precision) ELSE 0 END`;

/** The constants of all users together. @param over `OVER ()` where they are taken in passing */
export function constantsSql(plan: Plan, over = ''): string {
  const sum = (value: number): string => `sum(v${value}) ${over}`;
  return layoutOf(plan)
    .constants.map(([value, denominator], index) => {
      const below =
        denominator === undefined
          ? `count(*) ${over}`
          : `(CASE WHEN ${sum(denominator)} = 0 THEN 1 ELSE ${sum(denominator)} END)`;
      return `${rounded(`(${sum(value)} / ${below})`)} AS k${index}`;
    })
    .join(', ');
}

const pairsOf = (parts: readonly Part[]): readonly (readonly [Part, Part])[] =>
  parts.flatMap((a, i) => parts.slice(i).map((b) => [a, b] as const));

/** All sums of one arm as a list, in the order in which {@link toArms} reads it. */
export const sumsSql = (plan: Plan): readonly string[] =>
  layoutOf(plan).metrics.flatMap(({ totals, parts }) => [
    ...totals.map((value) => `sum(v${value})`),
    ...parts.map(({ sql }) => `sum(${sql})`),
    ...pairsOf(parts).map(([a, b]) => `sum(${a.sql} * ${b.sql})`),
  ]);

/** The constants, and caps, in the same rows. */
export const constantNames = (plan: Plan): readonly string[] =>
  layoutOf(plan).constants.map((_, index) => `k${index}`);

export const capNames = ({ values }: Plan): readonly string[] =>
  values.flatMap(({ cap }, index) => (cap === null ? [] : [`cap${index}`]));

/** An arm as both stores select it. */
export interface ArmRow {
  readonly variant_id: number;
  /** 1: all segments together. */
  readonly is_whole: number;
  readonly segment: string | null;
}

export interface SumsRow extends ArmRow {
  readonly users: number;
  readonly sums: readonly number[];
  readonly constants: readonly number[];
  readonly caps: readonly number[];
}

export const armOf = ({ variant_id, is_whole, segment }: ArmRow): ArmOf =>
  is_whole === 1 ? { variantId: variant_id } : { variantId: variant_id, segment };

/** A difference this small against its terms has no digits left. */
const ROUNDING = 1e-12;
/** How far apart, relative to their size, sums of the same numbers in another order may be. */
const ORDER = 1e-14;

/**
 * Joint moments out of sums of deviations, where what can only be rounding is zero: of equal values
 * nothing else is left, and it would make p-values of noise.
 *
 * @param sums Σ(x_i − c_i)
 * @param products Σ(x_i − c_i)(x_j − c_j) for i ≤ j, row by row
 * @param sizes how large the mean of x_i's terms is: a variance far below its square is rounding
 */
export function momentsOf(
  n: number,
  sums: readonly number[],
  products: readonly number[],
  shifts: readonly number[],
  sizes: readonly number[],
): JointMoments {
  const width = sums.length;
  const at = (i: number, j: number): number => {
    const [a, b] = i < j ? [i, j] : [j, i];
    return products[a * width - (a * (a - 1)) / 2 + b - a] ?? 0;
  };
  const matrix = sums.map((_, i) => sums.map((_, j) => at(i, j)));
  const { mean, products: centred } = jointMomentsFromSums(n, sums, matrix, shifts);
  const isConstant = mean.map((_, i) => {
    const m2 = centred[i]?.[i] ?? 0;
    return m2 < ROUNDING * at(i, i) || m2 <= n * (ORDER * (sizes[i] ?? 0)) ** 2;
  });
  return {
    n,
    mean,
    products: centred.map((row, i) =>
      row.map((product, j) => (isConstant[i] || isConstant[j] ? 0 : product)),
    ),
  };
}

function dataOf(
  { metric }: PlannedMetric,
  { totals, parts, about, aboutBefore }: MetricSums,
  { users: n, constants }: Pick<SumsRow, 'users' | 'constants'>,
  numbers: readonly number[],
): ArmData {
  const [numerator = 0, denominator = 0] = numbers;
  const constant = (place: number | null): number => (place === null ? 0 : (constants[place] ?? 0));
  const from = totals.length;
  const sums = numbers.slice(from, from + parts.length);
  const shifts = parts.map(({ shift }) => constant(shift));
  const means = parts.map((_, i) => (shifts[i] ?? 0) + (sums[i] ?? 0) / n);
  // Of a residual its terms are large, not its mean.
  const sizes = parts.map((part, i) => {
    if (part.shift !== null) return means[i] ?? 0;
    return i === 0 ? numerator / n : constant(aboutBefore) * (means[3] ?? 0);
  });
  const products = numbers.slice(from + parts.length);
  const moments = (): JointMoments => momentsOf(n, sums, products, shifts, sizes);
  switch (metric.kind) {
    case 'rate':
      return { kind: 'rate', n, x: numerator, joint: parts.length === 0 ? null : moments() };
    case 'mean':
      return { kind: 'mean', total: numerator, moments: moments() };
    case 'ratio':
      return {
        kind: 'ratio',
        numerator,
        denominator,
        about: constant(about),
        aboutBefore: constant(aboutBefore),
        moments: moments(),
      };
  }
}

const lengthOf = ({ totals, parts }: MetricSums): number =>
  totals.length + parts.length + (parts.length * (parts.length + 1)) / 2;

/** Every metric of the plan in every arm. */
export function toArms(plan: Plan, rows: readonly SumsRow[]): readonly ArmStatistics[] {
  const layout = layoutOf(plan);
  return rows.flatMap((row) => {
    let next = 0;
    return layout.metrics.flatMap((sums, index) => {
      const planned = plan.metrics[index];
      if (planned === undefined) return [];
      const numbers = row.sums.slice(next, next + lengthOf(sums));
      next += numbers.length;
      return [
        { ...armOf(row), metric: planned.metric.key, data: dataOf(planned, sums, row, numbers) },
      ];
    });
  });
}

export const toUsers = (rows: readonly SumsRow[]): readonly ArmUsers[] =>
  rows.map((row) => ({ ...armOf(row), users: row.users }));

/** What the totals were cut to; the same in every arm. */
export function toCaps(plan: Plan, rows: readonly SumsRow[]): readonly MetricCaps[] {
  const names = capNames(plan);
  const capOf = (value: number | null): number | null => {
    const place = names.indexOf(`cap${value}`);
    return place === -1 ? null : (rows[0]?.caps[place] ?? null);
  };
  return plan.metrics
    .filter(({ metric }) => metric.cap !== null && metric.kind !== 'rate')
    .map((planned) => ({
      metric: planned.metric.key,
      numerator: capOf(planned.value),
      denominator: 'denominator' in planned ? capOf(planned.denominator) : null,
      numeratorBefore: capOf(planned.valueBefore),
      denominatorBefore: 'denominator' in planned ? capOf(planned.denominatorBefore) : null,
    }));
}
