import {
  covarianceOf,
  type JointMoments,
  jointMomentsFromSums,
  type Sample,
} from '../src/stats/index.ts';
import type { Random } from '../test/stats/random.ts';
import { aliasSampler, chiSquareDraw, multinomialDraw, poissonLaw } from './samplers.ts';

// The users of the cells of §9.3: a metric, and the same metric before the experiment.

/** A law of users. */
export interface Population {
  readonly name: string;
  /** Rates and means have values [y, x], ratios [y, d, x, m], with x and m from before. */
  readonly kind: 'rate' | 'mean' | 'ratio';
  /** Large samples of it take time. */
  readonly isDrawnOneByOne: boolean;
  /** Of y, or of the ratio y/d. */
  readonly mean: number;
  /** What n new users bring: their joint moments. */
  readonly draw: (random: Random, n: number) => JointMoments;
}

/** Successes, with a correlation of one half with those before. @param before rate; p when absent */
export function bernoulli(p: number, before = p): Population {
  const both = p * before + 0.5 * Math.sqrt(p * (1 - p) * before * (1 - before));
  const shares = [both, p - both, before - both, 1 - p - before + both];
  return {
    name: `Bernoulli ${p}`,
    kind: 'rate',
    isDrawnOneByOne: false,
    mean: p,
    draw: (random, n) => {
      const [yx = 0, y = 0, x = 0] = multinomialDraw(random, n, shares);
      return jointMomentsFromSums(
        n,
        [yx + y, yx + x],
        [
          [yx + y, yx],
          [yx, yx + x],
        ],
      );
    },
  };
}

const CORRELATION = 0.7;
const NORMAL_MEAN = 10;

/** Normal values; means and products are drawn by Bartlett's decomposition of a Wishart matrix. */
const normal: Population = {
  name: 'normal',
  kind: 'mean',
  isDrawnOneByOne: false,
  mean: NORMAL_MEAN,
  draw: (random, n) => {
    if (n === 0)
      return jointMomentsFromSums(
        0,
        [0, 0],
        [
          [0, 0],
          [0, 0],
        ],
      );
    const rest = Math.sqrt(1 - CORRELATION * CORRELATION);
    const combine = (a: number, b: number): number => CORRELATION * a + rest * b;
    const [zx, zy] = [random.normal() / Math.sqrt(n), random.normal() / Math.sqrt(n)];
    const xx = chiSquareDraw(random, n - 1);
    const x = Math.sqrt(xx);
    const cross = n > 1 ? random.normal() : 0;
    const own = n > 2 ? chiSquareDraw(random, n - 2) : 0;
    const y = combine(x, cross);
    const yy = y * y + rest * rest * own;
    return {
      n,
      mean: [NORMAL_MEAN + combine(zx, zy), NORMAL_MEAN + zx],
      products: [
        [yy, x * y],
        [x * y, xx],
      ],
    };
  },
};

/** Normal values of any mean and deviation, without the covariate. */
export function normalSample(random: Random, n: number, mean: number, sd: number): Sample {
  const moments = normal.draw(random, n);
  const z = (moments.mean[0] ?? NORMAL_MEAN) - NORMAL_MEAN;
  const variance = n < 2 ? 0 : (covarianceOf(moments)[0]?.[0] ?? 0);
  return { n, mean: mean + sd * z, variance: sd * sd * variance };
}

/** Correlation of the logarithms of values after and before. */
const LOG_CORRELATION = 0.8;
const LOG_REST = Math.sqrt(1 - LOG_CORRELATION * LOG_CORRELATION);

/** Sums of `units` correlated lognormal pairs about their mean, added to `sums`: y, x, yy, yx, xx. */
function addLognormals(
  random: Random,
  units: number,
  sigma: number,
  [shiftY, shiftX]: readonly [number, number],
  sums: Float64Array,
): void {
  let [y, x, yy, yx, xx] = [0, 0, 0, 0, 0];
  for (let i = 0; i < units; i++) {
    const radius = sigma * Math.sqrt(-2 * Math.log(random.uniform()));
    const angle = 2 * Math.PI * random.uniform();
    const first = radius * Math.cos(angle);
    const dy = Math.exp(LOG_CORRELATION * first + LOG_REST * radius * Math.sin(angle)) - shiftY;
    const dx = Math.exp(first) - shiftX;
    y += dy;
    x += dx;
    yy += dy * dy;
    yx += dy * dx;
    xx += dx * dx;
  }
  for (const [k, value] of [y, x, yy, yx, xx].entries()) sums[k] = (sums[k] ?? 0) + value;
}

function pairMoments(n: number, sums: Float64Array, shift: number): JointMoments {
  const [y = 0, x = 0, yy = 0, yx = 0, xx = 0] = sums;
  return jointMomentsFromSums(
    n,
    [y, x],
    [
      [yy, yx],
      [yx, xx],
    ],
    [shift, shift],
  );
}

/** Revenue of buyers: far from normal, with a skewness of 33 for a σ of 1.5. */
function lognormal(sigma: number): Population {
  const mean = Math.exp((sigma * sigma) / 2);
  return {
    name: `lognormal σ ${sigma}`,
    kind: 'mean',
    isDrawnOneByOne: true,
    mean,
    draw: (random, n) => {
      const sums = new Float64Array(5);
      addLognormals(random, n, sigma, [mean, mean], sums);
      return pairMoments(n, sums, mean);
    },
  };
}

/** Revenue of all users: 95 % of them have none, half of the buyers bought before. */
function zeroInflated(sigma: number): Population {
  const share = 0.05;
  const shares = [share / 2, share / 2, share / 2, 1 - 1.5 * share];
  return {
    name: '95 % zeros',
    kind: 'mean',
    isDrawnOneByOne: false,
    mean: share * Math.exp((sigma * sigma) / 2),
    draw: (random, n) => {
      const [both = 0, after = 0, before = 0] = multinomialDraw(random, n, shares);
      const sums = new Float64Array(5);
      addLognormals(random, both, sigma, [0, 0], sums);
      // Of those who bought in one period only, the pair's other value does not count.
      const only = (units: number, [value, square]: readonly [number, number]): void => {
        const single = new Float64Array(5);
        addLognormals(random, units, sigma, [0, 0], single);
        sums[value] = (sums[value] ?? 0) + (single[0] ?? 0);
        sums[square] = (sums[square] ?? 0) + (single[2] ?? 0);
      };
      only(after, [0, 2]);
      only(before, [1, 4]);
      return pairMoments(n, sums, 0);
    },
  };
}

/** Halves of the users: rates of visits, and of clicks per visit. */
const HABITS = [
  { visits: 1, clicks: 0.1 },
  { visits: 5, clicks: 0.3 },
] as const;

/** Clicks per visit, of users with habits of their own; visits and clicks are Poisson. */
function poissonRatio(): Population {
  const laws = HABITS.map(({ visits, clicks }) => {
    const pairs = poissonLaw(visits).flatMap((chance, d) =>
      poissonLaw(clicks * d).map((share, y) => ({ d, y, weight: chance * share })),
    );
    return { pairs, sample: aliasSampler(pairs.map(({ weight }) => weight)) };
  });
  const total = (of: (habit: (typeof HABITS)[number]) => number): number =>
    HABITS.reduce((sum, habit) => sum + of(habit), 0);
  return {
    name: 'Poisson ratio',
    kind: 'ratio',
    isDrawnOneByOne: true,
    mean: total(({ visits, clicks }) => visits * clicks) / total(({ visits }) => visits),
    draw: (random, n) => {
      let [y, d, x, m] = [0, 0, 0, 0];
      let [yy, yd, yx, ym, dd, dx, dm, xx, xm, mm] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
      for (let i = 0; i < n; i++) {
        const law = laws[random.uniform() < 0.5 ? 0 : 1];
        const after = law?.pairs[law.sample(random)];
        const before = law?.pairs[law.sample(random)];
        if (after === undefined || before === undefined) continue;
        y += after.y;
        d += after.d;
        x += before.y;
        m += before.d;
        yy += after.y * after.y;
        yd += after.y * after.d;
        yx += after.y * before.y;
        ym += after.y * before.d;
        dd += after.d * after.d;
        dx += after.d * before.y;
        dm += after.d * before.d;
        xx += before.y * before.y;
        xm += before.y * before.d;
        mm += before.d * before.d;
      }
      return jointMomentsFromSums(
        n,
        [y, d, x, m],
        [
          [yy, yd, yx, ym],
          [yd, dd, dx, dm],
          [yx, dx, xx, xm],
          [ym, dm, xm, mm],
        ],
      );
    },
  };
}

/** The populations of §9.3. */
export const POPULATIONS = {
  half: bernoulli(0.5),
  twentieth: bernoulli(0.05),
  rare: bernoulli(0.005),
  normal,
  lognormal: lognormal(1.5),
  zeros: zeroInflated(1),
  ratio: poissonRatio(),
} as const;
