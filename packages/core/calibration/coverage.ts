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
import { randomStream } from '../test/stats/random.ts';
import { type Arms, compareAdjusted, compareMeans, covers, samplesOf, scaled } from './methods.ts';
import { bernoulli, POPULATIONS, type Population } from './populations.ts';
import { ALPHA, atLeast, between, type ExactStudy, type Study } from './study.ts';

// §9.4: how often intervals of 95 % hold the truth.

const SECTION = '9.4';
const LIFT = 0.1;

/** Arms of which the treatment has outcomes larger by a tenth, as a population draws them. */
function drawerOf(population: Population) {
  if (population.kind !== 'rate') {
    return (moments: Arms): Arms => ({
      ...moments,
      treatment: scaled(moments.treatment, 1 + LIFT),
    });
  }
  return null;
}

function means(population: Population, n: number): Study {
  const lifted = bernoulli((1 + LIFT) * population.mean, population.mean);
  const scale = drawerOf(population);
  return {
    section: SECTION,
    name: `${population.name}, lift of 10 %, n ${n}`,
    simulations:
      n > 1000 && population.kind !== 'rate' && population.name !== 'normal' ? 4000 : 10_000,
    figures: [
      { name: population.kind === 'ratio' ? 'ratio' : 'Welch', expectation: between(0.94, 0.96) },
      { name: 'CUPED', expectation: between(0.94, 0.96) },
      { name: 'Fieller', expectation: between(0.94, 0.965) },
    ],
    prepare: () => (random) => {
      const control = population.draw(random, n);
      const arms =
        scale === null
          ? { treatment: lifted.draw(random, n), control }
          : scale({ treatment: population.draw(random, n), control });
      const truth = LIFT * population.mean;
      return [
        covers(compareMeans(population, arms), truth),
        covers(compareAdjusted(population, arms), truth),
        covers(fiellerLift(...samplesOf(population, arms), ALPHA), LIFT),
      ];
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

const PAIRS = 400;

type DifferenceInterval = (
  treatment: Proportion,
  control: Proportion,
  alpha: number,
) => { readonly status: string; readonly lower?: number; readonly upper?: number };

/** Coverages of an interval of a difference for random pairs of rates, over all tables of n and n. */
function differenceCoverages(interval: DifferenceInterval, n: number): readonly number[] {
  const counts = Array.from({ length: n + 1 }, (_, x) => x);
  const intervals = counts.map((t) => counts.map((c) => interval({ x: t, n }, { x: c, n }, ALPHA)));
  const random = randomStream(n);
  return Array.from({ length: PAIRS }, () => {
    const [pT, pC] = [random.uniform(), random.uniform()];
    const [massT, massC] = [pT, pC].map((p) => counts.map((x) => binomialPmf(x, n, p)));
    return counts.reduce(
      (sum, t) =>
        sum +
        counts.reduce((inner, c) => {
          const isCovered = covers(intervals[t]?.[c] ?? { status: 'none' }, pT - pC);
          return inner + (isCovered ? (massT?.[t] ?? 0) * (massC?.[c] ?? 0) : 0);
        }, 0),
      0,
    );
  });
}

const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

const differences = (n: number): ExactStudy => ({
  section: SECTION,
  name: `${PAIRS} pairs of rates, n ${n}`,
  figures: [
    { name: 'Newcombe, worst', expectation: atLeast(n < 20 ? 0.88 : 0.91) },
    { name: 'Newcombe, mean', expectation: between(0.94, 0.96) },
    { name: 'Miettinen–Nurminen, worst', expectation: atLeast(0.91) },
    { name: 'Miettinen–Nurminen, mean', expectation: between(0.94, 0.96) },
  ],
  compute: () =>
    [newcombeDifference, scoreDifference].flatMap((interval) => {
      const coverages = differenceCoverages(interval, n);
      return [Math.min(...coverages), meanOf(coverages)];
    }),
});

/** Coverage of an interval of one rate, over all counts. */
const rateCoverage = (interval: typeof wilsonInterval, n: number, p: number): number =>
  Array.from({ length: n + 1 }, (_, x) =>
    covers(interval({ x, n }, ALPHA), p) ? binomialPmf(x, n, p) : 0,
  ).reduce((sum, mass) => sum + mass, 0);

const oneRate: ExactStudy = {
  section: SECTION,
  name: '999 rates, n 50',
  figures: [
    { name: 'Wilson, mean', expectation: between(0.94, 0.96) },
    { name: 'Clopper–Pearson, worst', expectation: atLeast(0.95) },
  ],
  compute: () => {
    const all = Array.from({ length: 999 }, (_, k) => (k + 1) / 1000);
    return [
      meanOf(all.map((p) => rateCoverage(wilsonInterval, 50, p))),
      Math.min(...all.map((p) => rateCoverage(clopperPearsonInterval, 50, p))),
    ];
  },
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
