import type {
  AnalysisInput,
  AnalysisMetric,
  AnalysisOptions,
  ArmData,
  MeanData,
  QuantileData,
  RateData,
  RatioData,
} from '../../src/analysis/index.ts';
import {
  type JointMoments,
  jointMomentsFromSums,
  orderStatisticRanks,
  sampleQuantile,
} from '../../src/stats/index.ts';

// Sufficient statistics as a store would give them, from the users themselves.

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

/** Joint moments of rows of values, summed about a constant as the stores do. */
function momentsOf(rows: readonly (readonly number[])[], shifts: readonly number[]) {
  const about = rows.map((row) => row.map((value, i) => value - (shifts[i] ?? 0)));
  const column = (i: number): readonly number[] => about.map((row) => row[i] ?? 0);
  const width = shifts.length;
  const indices = Array.from({ length: width }, (_, i) => i);
  const products = indices.map((i) =>
    indices.map((j) => sum(about.map((row) => (row[i] ?? 0) * (row[j] ?? 0)))),
  );
  return jointMomentsFromSums(
    rows.length,
    indices.map((i) => sum(column(i))),
    products,
    shifts,
  );
}

/** The constants that a store would choose: the means over all arms, in single precision. */
function shiftsOf(arms: readonly (readonly (readonly number[])[])[]): readonly number[] {
  const rows = arms.flat();
  return (rows[0] ?? []).map((_, i) =>
    Math.fround(sum(rows.map((row) => row[i] ?? 0)) / rows.length),
  );
}

export const rate = (n: number, x: number, joint: JointMoments | null = null): RateData => ({
  kind: 'rate',
  n,
  x,
  joint,
});

/** Arms whose users have a value each, or a value and a covariate. */
export function means(...arms: readonly (readonly (readonly number[])[])[]): readonly MeanData[] {
  const shifts = shiftsOf(arms);
  return arms.map((rows) => ({
    kind: 'mean',
    total: sum(rows.map(([y = 0]) => y)),
    moments: momentsOf(rows, shifts),
  }));
}

/** Arms of users of 0 or 1, with a covariate each. */
export function rates(...arms: readonly (readonly (readonly number[])[])[]): readonly RateData[] {
  return means(...arms).map(({ total, moments }) => rate(moments.n, total, moments));
}

/** Arms whose users have a numerator and a denominator, or both twice: afterwards and before. */
export function ratios(...arms: readonly (readonly (readonly number[])[])[]): readonly RatioData[] {
  const rows = arms.flat();
  const pooled = (y: number, d: number): number => {
    const below = sum(rows.map((row) => row[d] ?? 0));
    return below === 0 ? 0 : Math.fround(sum(rows.map((row) => row[y] ?? 0)) / below);
  };
  const [about, aboutBefore] = [pooled(0, 1), pooled(2, 3)];
  const residuals = arms.map((users) =>
    users.map((row) => {
      const [y = 0, d = 0, x, m] = row;
      const after = [y - about * d, d];
      return x === undefined || m === undefined ? after : [...after, x - aboutBefore * m, m];
    }),
  );
  const shifts = shiftsOf(residuals).map((shift, i) => (i % 2 === 0 ? 0 : shift));
  return arms.map((users, k) => ({
    kind: 'ratio',
    numerator: sum(users.map(([y = 0]) => y)),
    denominator: sum(users.map(([, d = 0]) => d)),
    about,
    aboutBefore,
    moments: momentsOf(residuals[k] ?? [], shifts),
  }));
}

/** An arm of users with the values of their events. */
export function quantile(users: readonly (readonly number[])[], p: number): QuantileData {
  const values = users.flat().sort((a, b) => a - b);
  const value = sampleQuantile(values, p);
  const ranks = orderStatisticRanks(values.length, p, 0.05);
  const at = (rank: number): number | null => values[rank - 1] ?? null;
  const clusters = users.filter(({ length }) => length > 0);
  const below = clusters.map((user) => user.filter((x) => value !== null && x <= value).length);
  return {
    kind: 'quantile',
    p,
    users: users.length,
    clusters: clusters.length,
    events: values.length,
    value,
    lower: ranks.status === 'ok' ? at(ranks.normalLower) : null,
    upper: ranks.status === 'ok' ? at(ranks.normalUpper) : null,
    sums: {
      below: sum(below),
      belowSquares: sum(below.map((s) => s * s)),
      eventsSquares: sum(clusters.map(({ length }) => length * length)),
      product: sum(clusters.map(({ length }, i) => length * (below[i] ?? 0))),
    },
  };
}

const usersOf = (data: ArmData): number =>
  data.kind === 'rate' ? data.n : data.kind === 'quantile' ? data.users : data.moments.n;

export const metric = (
  data: readonly ArmData[],
  fields: Partial<Omit<AnalysisMetric, 'data'>> = {},
): AnalysisMetric => ({
  key: 'm',
  role: 'goal',
  margin: null,
  direction: 'increase',
  ...fields,
  data,
});

const OPTIONS: AnalysisOptions = {
  method: 'fixed',
  alpha: 0.05,
  minSample: 1,
  plannedUsers: null,
  isOver: true,
};

/** An analysis whose first arm is the control. */
export function input(
  metrics: readonly AnalysisMetric[],
  options: Partial<AnalysisOptions> = {},
): AnalysisInput {
  const arms = (metrics[0]?.data ?? []).map((data, index) => ({
    key: index === 0 ? 'control' : `arm${index}`,
    isControl: index === 0,
    users: usersOf(data),
  }));
  return { arms, metrics, options: { ...OPTIONS, ...options } };
}
