import type { ArmData } from '../analysis/types.ts';
import { type JointMoments, jointMomentsFromSums } from '../stats/index.ts';
import type { ValuesOfUsers } from './types.ts';

/** What the moments of an arm are of: so much of each user, nearly centred about 0. */
interface Components {
  readonly width: number;
  /** User by user. */
  readonly parts: Float64Array;
  /** Added to the means of the parts. */
  readonly shifts: readonly number[];
  /** Ratios of the sums of all users: of a ratio, and of the same before the assignment. */
  readonly about: number;
  readonly aboutBefore: number;
}

/** Sums of one column of values. */
function sumOf(values: Float64Array, width: number, column: number): number {
  let sum = 0;
  for (let at = column; at < values.length; at += width) sum += values[at] ?? 0;
  return sum;
}

export const widthOf = ({ kind, hasCovariate }: ValuesOfUsers): number =>
  (kind === 'ratio' ? 2 : 1) * (hasCovariate ? 2 : 1);

/** Deviations from the means of all users; numerators of ratios become residuals (`RatioData`). */
function componentsOf(metric: ValuesOfUsers): Components {
  const { kind, values } = metric;
  const width = widthOf(metric);
  const users = values.length / width;
  const sums = Array.from({ length: width }, (_, column) => sumOf(values, width, column));
  const ratioAt = (column: number): number => {
    const below = sums[column + 1] ?? 0;
    return below === 0 ? 0 : (sums[column] ?? 0) / below;
  };
  const ratios = kind === 'ratio' ? [ratioAt(0), width === 4 ? ratioAt(2) : 0] : [];
  const isResidual = (column: number): boolean => kind === 'ratio' && column % 2 === 0;
  const shifts = sums.map((sum, column) => (isResidual(column) ? 0 : sum / users));
  const parts = values.map((value, at) => {
    const column = at % width;
    return isResidual(column)
      ? value - (ratios[column / 2] ?? 0) * (values[at + 1] ?? 0)
      : value - (shifts[column] ?? 0);
  });
  return { width, parts, shifts, about: ratios[0] ?? 0, aboutBefore: ratios[1] ?? 0 };
}

/** Sums over the users of each arm: how many, and of parts and of products of parts. */
interface ArmSums {
  readonly counts: readonly number[];
  readonly firsts: Float64Array;
  readonly seconds: Float64Array;
}

function sumArms({ width, parts }: Components, armOf: Uint8Array, arms: number): ArmSums {
  const counts = new Array<number>(arms).fill(0);
  const firsts = new Float64Array(arms * width);
  const seconds = new Float64Array(arms * width * width);
  const users = parts.length / width;
  for (let user = 0; user < users; user++) {
    const arm = armOf[user] ?? 0;
    counts[arm] = (counts[arm] ?? 0) + 1;
    for (let i = 0; i < width; i++) {
      const part = parts[user * width + i] ?? 0;
      const first = arm * width + i;
      firsts[first] = (firsts[first] ?? 0) + part;
      for (let j = 0; j <= i; j++) {
        const second = first * width + j;
        seconds[second] = (seconds[second] ?? 0) + part * (parts[user * width + j] ?? 0);
      }
    }
  }
  return { counts, firsts, seconds };
}

function momentsOf({ width, shifts }: Components, sums: ArmSums, arm: number): JointMoments {
  const second = (i: number, j: number): number =>
    sums.seconds[(arm * width + Math.max(i, j)) * width + Math.min(i, j)] ?? 0;
  const columns = shifts.map((_, i) => i);
  return jointMomentsFromSums(
    sums.counts[arm] ?? 0,
    columns.map((i) => sums.firsts[arm * width + i] ?? 0),
    columns.map((i) => columns.map((j) => second(i, j))),
    shifts,
  );
}

/**
 * The sufficient statistics of any arms of the users.
 *
 * @returns takes the arm of each user, 0 … arms − 1, and gives the data of each arm
 */
export function armsOfValues(
  metric: ValuesOfUsers,
): (armOf: Uint8Array, arms: number) => readonly ArmData[] {
  const components = componentsOf(metric);
  const { about, aboutBefore } = components;
  const dataOf = (moments: JointMoments): ArmData => {
    const { n, mean } = moments;
    const [first = 0, second = 0] = mean;
    switch (metric.kind) {
      case 'rate':
        // Of zeros and ones the sum is a count, which centring has blurred by its last bits.
        return {
          kind: 'rate',
          n,
          x: Math.round(first * n),
          joint: metric.hasCovariate ? moments : null,
        };
      case 'mean':
        return { kind: 'mean', total: first * n, moments };
      case 'ratio':
        return {
          kind: 'ratio',
          numerator: (first + about * second) * n,
          denominator: second * n,
          about,
          aboutBefore,
          moments,
        };
    }
  };
  return (armOf, arms) => {
    const sums = sumArms(components, armOf, arms);
    return sums.counts.map((_, arm) => dataOf(momentsOf(components, sums, arm)));
  };
}
