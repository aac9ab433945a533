import {
  binomialPmf,
  clopperPearsonInterval,
  deltaLift,
  fiellerLift,
  logLift,
  newcombeDifference,
  type Proportion,
  scoreDifference,
  wilsonInterval,
} from '../src/stats/index.ts';
import type { Random } from '../test/stats/random.ts';
import {
  type Arms,
  compareAdjusted,
  compareMeans,
  covers,
  samplesOf,
  scaled,
} from './comparisons.ts';
import { bernoulli, POPULATIONS, type Population } from './populations.ts';
import { ALPHA, atLeast, between, type ExactStudy, type Expectation, type Study } from './study.ts';

// §9.4: how often intervals of 95 % hold the truth.

const SECTION = '9.4';
const LIFT = 0.1;

/** Arms of which the treatment's outcomes, but not those before, are larger by a tenth. */
function drawLifted(population: Population, n: number): (random: Random) => Arms {
  const isRate = population.kind === 'rate';
  // A rate needs other successes, other outcomes are only multiplied.
  const treated = isRate ? bernoulli((1 + LIFT) * population.mean, population.mean) : population;
  return (random) => {
    const treatment = treated.draw(random, n);
    const control = population.draw(random, n);
    return { treatment: isRate ? treatment : scaled(treatment, 1 + LIFT), control };
  };
}

const NEAR_ONE = 'just 5 successes in the control: a g of 0.8 makes Fieller cautious (§9.3)';

const fiellerCoverage = (population: Population, n: number): Expectation =>
  population === POPULATIONS.rare && n === 1000
    ? between(0.94, 0.975, NEAR_ONE)
    : between(0.94, 0.965);

function means(population: Population, n: number): Study {
  return {
    section: SECTION,
    name: `${population.name}, lift of 10 %, n ${n}`,
    simulations: population.isDrawnOneByOne && n > 1000 ? 4000 : 10_000,
    figures: [
      { name: population.kind === 'ratio' ? 'ratio' : 'Welch', expectation: between(0.94, 0.96) },
      { name: 'CUPED', expectation: between(0.94, 0.96) },
      { name: 'Fieller', expectation: fiellerCoverage(population, n) },
    ],
    prepare: () => {
      const draw = drawLifted(population, n);
      const truth = LIFT * population.mean;
      return (random) => {
        const arms = draw(random);
        return [
          covers(compareMeans(population, arms), truth),
          covers(compareAdjusted(population, arms), truth),
          covers(fiellerLift(...samplesOf(population, arms), ALPHA), LIFT),
        ];
      };
    },
  };
}

/** The three intervals of a lift where §2.2 measured them. */
function lifts(
  name: string,
  n: number,
  [treatment, control]: readonly [Population, Population],
  [delta, fieller, log]: readonly [number, number, number],
): Study {
  const measured = (name: string, rate: number) => ({
    name,
    expectation: between(rate - 0.01, rate + 0.01, '§2.2 measured it, to within a point'),
  });
  return {
    section: SECTION,
    name: `lift: ${name}, n ${n}`,
    simulations: 10_000,
    figures: [measured('delta', delta), measured('Fieller', fieller), measured('log', log)],
    prepare: () => (random) => {
      const samples = samplesOf(control, {
        treatment: treatment.draw(random, n),
        control: control.draw(random, n),
      });
      const truth = treatment.mean / control.mean - 1;
      const logarithmic = logLift(...samples, ALPHA);
      return [
        covers(deltaLift(...samples, ALPHA), truth),
        covers(fiellerLift(...samples, ALPHA), truth),
        logarithmic.status === 'ok' &&
          (logarithmic.lower ?? Number.NEGATIVE_INFINITY) <= truth &&
          truth <= (logarithmic.upper ?? Number.POSITIVE_INFINITY),
      ];
    },
  };
}

type DifferenceInterval = (
  treatment: Proportion,
  control: Proportion,
  alpha: number,
) => { readonly status: string; readonly lower?: number; readonly upper?: number };

const PERCENTS = Array.from({ length: 99 }, (_, k) => (k + 1) / 100);
const isUsual = (p: number): boolean => p >= 0.05 && p <= 0.95;

/** How often an interval of a difference covers, for two rates. */
interface PairCoverage {
  readonly isUsual: boolean;
  readonly coverage: number;
}

/** Coverages for all pairs of rates of whole percents, each over all tables of n and n. */
function differenceCoverages(interval: DifferenceInterval, n: number): readonly PairCoverage[] {
  const counts = Array.from({ length: n + 1 }, (_, x) => x);
  const intervals = counts.flatMap((t) =>
    counts.map((c) => {
      const { lower = 1, upper = -1 } = interval({ x: t, n }, { x: c, n }, ALPHA);
      return { t, c, lower, upper };
    }),
  );
  const masses = PERCENTS.map((p) => counts.map((x) => binomialPmf(x, n, p)));
  return PERCENTS.flatMap((pT, i) =>
    PERCENTS.map((pC, j) => {
      let coverage = 0;
      for (const { t, c, lower, upper } of intervals) {
        if (lower <= pT - pC && pT - pC <= upper) {
          coverage += (masses[i]?.[t] ?? 0) * (masses[j]?.[c] ?? 0);
        }
      }
      return { isUsual: isUsual(pT) && isUsual(pC), coverage };
    }),
  );
}

const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

const CORNER =
  'rates of 2 % against 98 % with 20 users: the 91 % of §9.4 hold from 5 to 95 %, where §1.5 looked';

const differences = (n: number): ExactStudy => ({
  section: SECTION,
  name: `differences of rates, n ${n}`,
  figures: [
    { name: 'Newcombe, 5–95 %, worst', expectation: atLeast(0.91) },
    {
      name: 'Newcombe, 1–99 %, worst',
      expectation: n === 20 ? atLeast(0.87, CORNER) : atLeast(0.91),
    },
    { name: 'Newcombe, mean', expectation: between(0.94, 0.96) },
    { name: 'MN, 5–95 %, worst', expectation: atLeast(0.91) },
    { name: 'MN, 1–99 %, worst', expectation: atLeast(0.91) },
    { name: 'MN, mean', expectation: between(0.94, 0.96) },
  ],
  compute: () =>
    [newcombeDifference, scoreDifference].flatMap((interval) => {
      const pairs = differenceCoverages(interval, n);
      const all = pairs.map(({ coverage }) => coverage);
      const usual = pairs.flatMap((pair) => (pair.isUsual ? [pair.coverage] : []));
      return [Math.min(...usual), Math.min(...all), meanOf(all)];
    }),
});

/** Coverages of an interval of one rate for all rates of whole percents. */
function rateCoverages(interval: typeof wilsonInterval, n: number): readonly number[] {
  const intervals = Array.from({ length: n + 1 }, (_, x) => interval({ x, n }, ALPHA));
  return PERCENTS.map((p) =>
    intervals.reduce((sum, limits, x) => sum + (covers(limits, p) ? binomialPmf(x, n, p) : 0), 0),
  );
}

const oneRate: ExactStudy = {
  section: SECTION,
  name: 'one rate, n 50',
  figures: [
    { name: 'Wilson, mean', expectation: between(0.94, 0.96) },
    { name: 'Clopper–Pearson, worst', expectation: atLeast(0.95) },
  ],
  compute: () => [
    meanOf(rateCoverages(wilsonInterval, 50)),
    Math.min(...rateCoverages(clopperPearsonInterval, 50)),
  ],
};

export const COVERAGE: readonly (Study | ExactStudy)[] = [
  ...Object.values(POPULATIONS).flatMap((population) =>
    [1000, 5000].map((n) => means(population, n)),
  ),
  lifts(
    'lognormal σ 1.5',
    100,
    [POPULATIONS.lognormal, POPULATIONS.lognormal],
    [0.903, 0.961, 0.919],
  ),
  lifts(
    'lognormal σ 1.5',
    1000,
    [POPULATIONS.lognormal, POPULATIONS.lognormal],
    [0.939, 0.952, 0.942],
  ),
  lifts('2 % to 2.5 %', 500, [bernoulli(0.025), bernoulli(0.02)], [0.924, 0.949, 0.957]),
  differences(20),
  differences(50),
  oneRate,
];
