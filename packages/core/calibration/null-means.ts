import {
  adjustPValues,
  bonferroniInterval,
  covariateArm,
  cupedMultiple,
  fiellerLift,
  interactedDifference,
  logLift,
  nonInferiorityAbsolute,
  nonInferiorityRelative,
  orderStatisticRanks,
  postStratifiedDifference,
  type QuantileEstimate,
  quantileDifference,
  quantileError,
  sampleQuantile,
  welchDifference,
  winsorizeUpper,
} from '../src/stats/index.ts';
import type { Random } from '../test/stats/random.ts';
import { covers, pOf, samplesOf } from './comparisons.ts';
import { normalSample, POPULATIONS } from './populations.ts';
import { binomialDraw } from './samplers.ts';
import { ALPHA, atMost, between, exactly, type Study } from './study.ts';

// §9.3 for the other methods on means, quantiles and families of tests.

const SECTION = '9.3';
const SIMULATIONS = 10_000;

const lifts: Study = {
  section: SECTION,
  name: 'other tests of means, 95 % zeros, n 20000',
  simulations: SIMULATIONS,
  figures: [
    { name: 'Fieller excludes 0', expectation: exactly(ALPHA) },
    { name: 'log lift excludes 0', expectation: exactly(ALPHA) },
    { name: 'Lin', expectation: exactly(ALPHA), isUniform: true },
    { name: 'guardrail, absolute margin', expectation: exactly(ALPHA) },
    { name: 'guardrail, relative margin', expectation: exactly(ALPHA) },
  ],
  prepare: () => (random) => {
    const population = POPULATIONS.zeros;
    const arms = {
      treatment: population.draw(random, 20_000),
      control: population.draw(random, 20_000),
    };
    const [t, c] = samplesOf(population, arms);
    const margin = 0.1;
    const options = { goodDirection: 'increase', margin, alpha: ALPHA } as const;
    const worse = { ...t, mean: t.mean * (1 - margin), variance: t.variance * (1 - margin) ** 2 };
    const log = logLift(t, c, ALPHA);
    return [
      !covers(fiellerLift(t, c, ALPHA), 0),
      log.status === 'ok' &&
        !covers({ status: 'ok', lower: log.lower ?? 0, upper: log.upper ?? 0 }, 0),
      pOf(interactedDifference(covariateArm(arms.treatment), covariateArm(arms.control), ALPHA)),
      pOf(nonInferiorityAbsolute(worse, c, { ...options, margin: margin * population.mean })),
      pOf(nonInferiorityRelative(worse, c, options)),
    ];
  },
};

/** Two covariates, of which one helps, and a third that repeats the first. */
function withCovariates(random: Random, n: number) {
  let [y, a, b, yy, ya, yb, aa, ab, bb] = [0, 0, 0, 0, 0, 0, 0, 0, 0];
  for (let i = 0; i < n; i++) {
    const [first, second] = [random.normal(), random.normal()];
    const value = 0.8 * first + 0.6 * random.normal();
    y += value;
    a += first;
    b += second;
    yy += value * value;
    ya += value * first;
    yb += value * second;
    aa += first * first;
    ab += first * second;
    bb += second * second;
  }
  const centred = (product: number, s: number, t: number): number => product - (s * t) / n;
  const [cya, cyb] = [centred(ya, y, a), centred(yb, y, b)];
  const [caa, cab, cbb] = [centred(aa, a, a), centred(ab, a, b), centred(bb, b, b)];
  return covariateArm({
    n,
    mean: [y / n, a / n, b / n, a / n],
    products: [
      [centred(yy, y, y), cya, cyb, cya],
      [cya, caa, cab, caa],
      [cyb, cab, cbb, cab],
      [cya, caa, cab, caa],
    ],
  });
}

const covariates: Study = {
  section: SECTION,
  name: 'three covariates, one of them twice, n 200',
  simulations: SIMULATIONS,
  figures: [{ name: 'CUPED, pooled', expectation: exactly(ALPHA), isUniform: true }],
  prepare: () => (random) => [
    pOf(cupedMultiple(withCovariates(random, 200), withCovariates(random, 200), ALPHA)),
  ],
};

const STRATA = [
  { share: 0.7, mean: 0, sd: 1 },
  { share: 0.3, mean: 3, sd: 2 },
] as const;

const strata: Study = {
  section: SECTION,
  name: 'two strata of 70/30, n 500',
  simulations: SIMULATIONS,
  figures: [{ name: 'post-stratified', expectation: exactly(ALPHA), isUniform: true }],
  prepare: () => (random) => {
    const first = [binomialDraw(random, 500, 0.7), binomialDraw(random, 500, 0.7)] as const;
    const cells = STRATA.map(({ mean, sd }, k) => {
      const [t, c] = first.map((count) =>
        normalSample(random, k === 0 ? count : 500 - count, mean, sd),
      );
      if (t === undefined || c === undefined) throw new Error('two arms');
      return { treatment: t, control: c };
    });
    return [pOf(postStratifiedDifference(cells, ALPHA))];
  },
};

const capped: Study = {
  section: SECTION,
  name: 'capped at 99 %, lognormal σ 1.5, n 1000',
  simulations: 4000,
  figures: [{ name: 'Welch of capped totals', expectation: exactly(ALPHA), isUniform: true }],
  prepare: () => (random) => {
    const arm = (): number[] => Array.from({ length: 1000 }, () => Math.exp(1.5 * random.normal()));
    const capped = winsorizeUpper([arm(), arm()], 0.99);
    if (capped.status !== 'ok') return [];
    const [t, c] = capped.arms.map(({ n, mean, m2 }) => ({ n, mean, variance: m2 / (n - 1) }));
    return t === undefined || c === undefined ? [] : [pOf(welchDifference(t, c, ALPHA))];
  },
};

/** A quantile of events that come in users, 1 to 5 each, who differ among themselves. */
function eventQuantile(random: Random, users: number, p: number): QuantileEstimate | null {
  const clusters = Array.from({ length: users }, () => {
    const level = 0.7 * random.normal();
    const length = 1 + Math.floor(5 * random.uniform());
    return Array.from({ length }, () => Math.exp(level + 0.7 * random.normal()));
  });
  const values = clusters.flat().sort((a, b) => a - b);
  const estimate = sampleQuantile(values, p);
  const ranks = orderStatisticRanks(values.length, p, ALPHA);
  if (estimate === null || ranks.status !== 'ok') return null;
  const sums = { sumBelow: 0, sumBelowSquares: 0, sumEventsSquares: 0, sumProduct: 0 };
  for (const cluster of clusters) {
    const below = cluster.filter((value) => value <= estimate).length;
    sums.sumBelow += below;
    sums.sumBelowSquares += below * below;
    sums.sumEventsSquares += cluster.length * cluster.length;
    sums.sumProduct += below * cluster.length;
  }
  const error = quantileError({
    p,
    nEvents: values.length,
    nClusters: users,
    sumEvents: values.length,
    ...sums,
    quantileLower: values[ranks.normalLower - 1] ?? Number.NaN,
    quantileUpper: values[ranks.normalUpper - 1] ?? Number.NaN,
    alpha: ALPHA,
  });
  return error.status === 'ok' ? { estimate, se: error.seClustered } : null;
}

const FAR_OUT =
  'ranks are rounded outwards (§2.5), and a skewed tail widens their distance: cautious far out, 3.7 % in 6000';

const quantiles: Study = {
  section: SECTION,
  name: 'quantiles of clustered events, 500 users',
  simulations: 2000,
  figures: [
    { name: 'median', expectation: exactly(ALPHA) },
    { name: '95 %', expectation: between(0.035, ALPHA, FAR_OUT) },
  ],
  prepare: () => (random) =>
    [0.5, 0.95].map((p) => {
      const [t, c] = [eventQuantile(random, 500, p), eventQuantile(random, 500, p)];
      return t === null || c === null ? 1 : pOf(quantileDifference(t, c, ALPHA));
    }),
};

const METRICS = 5;
/** Of independent tests at α/m, each of which may be the first to reject. */
const FAMILY_RATE = 1 - (1 - ALPHA / METRICS) ** METRICS;

const families: Study = {
  section: SECTION,
  name: 'five metrics without an effect, n 200',
  simulations: SIMULATIONS,
  figures: [
    { name: 'any by Holm', expectation: exactly(FAMILY_RATE) },
    { name: 'any by Hochberg', expectation: atMost(ALPHA) },
    { name: 'any by Benjamini–Hochberg', expectation: exactly(ALPHA) },
    { name: 'any by Benjamini–Yekutieli', expectation: atMost(ALPHA) },
    { name: 'any Bonferroni interval', expectation: exactly(FAMILY_RATE) },
  ],
  prepare: () => {
    const tests = Array.from({ length: METRICS });
    return (random) => {
      const results = tests.map(() =>
        welchDifference(normalSample(random, 200, 0, 1), normalSample(random, 200, 0, 1), ALPHA),
      );
      const pValues = results.map(pOf);
      const smallest = (method: Parameters<typeof adjustPValues>[1]): number =>
        Math.min(...adjustPValues(pValues, method).map((p) => p ?? 1));
      const isMissed = results.some(
        (result) =>
          result.status === 'ok' &&
          !covers(bonferroniInterval({ ...result, estimate: result.diff }, METRICS, ALPHA), 0),
      );
      return [
        smallest('holm'),
        smallest('hochberg'),
        smallest('benjaminiHochberg'),
        smallest('benjaminiYekutieli'),
        isMissed,
      ];
    };
  },
};

export const NULL_MEANS: readonly Study[] = [
  lifts,
  covariates,
  strata,
  capped,
  quantiles,
  families,
];
