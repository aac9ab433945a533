import {
  adjustPValues,
  betaBinomial,
  binomialExact,
  chiSquareSrm,
  clopperPearsonInterval,
  fisherTest,
  groupSequentialBoundary,
  groupSequentialDesign,
  logRateLift,
  newcombeDifference,
  nonInferiorityProportion,
  orderStatisticRanks,
  type Proportion,
  quantileDifference,
  quantileError,
  sampleQuantile,
  scoreDifference,
  scoreLift,
  sequentialSrm,
  wilsonInterval,
  winsorizeUpper,
  zDifference,
} from '../../src/stats/index.ts';
import { ARMS, type Arm, CONTROL, groupBy, type Pupil, TREATMENTS, value } from './star.ts';
import { starAnalysis } from './star-analysis.ts';
import { avgValue, valuePerUser } from './star-means.ts';
import { armOf, ok, perArm, perTreatment, SETTINGS, type Trial } from './star-trial.ts';

const { alpha, margins } = SETTINGS;

/** Whether a pupil was tested. */
function conversionRate(trial: Trial) {
  const rate = (arm: Arm): Proportion => {
    const pupils = armOf(trial, arm);
    return { n: pupils.length, x: pupils.filter((pupil) => pupil.score !== null).length };
  };
  return {
    ...perArm((arm) => ({
      wilson: ok(wilsonInterval(rate(arm), alpha)),
      clopperPearson: ok(clopperPearsonInterval(rate(arm), alpha)),
    })),
    versus: perTreatment((arm) => {
      const [t, c] = [rate(arm), rate(CONTROL)];
      const guardrail = { alpha, margin: margins.rate } as const;
      return {
        miettinenNurminen: ok(scoreDifference(t, c, alpha)),
        newcombe: ok(newcombeDifference(t, c, alpha)),
        scoreLift: ok(scoreLift(t, c, alpha)),
        logLift: ok(logRateLift(t, c, alpha)),
        zTest: ok(zDifference(t, c, alpha)),
        fisher: ok(fisherTest(t, c)),
        farringtonManning: perDirection((goodDirection) =>
          ok(nonInferiorityProportion(t, c, { ...guardrail, goodDirection })),
        ),
        betaBinomial: ok(betaBinomial(t, c)),
      };
    }),
  };
}

const perDirection = <T>(of: (direction: 'increase' | 'decrease') => T) => ({
  increase: of('increase'),
  decrease: of('decrease'),
});

/** Quantiles of the scores; pupils are the clusters, the untested have no event. */
function quantiles(trial: Trial) {
  return SETTINGS.quantiles.map((p) => {
    const estimate = (arm: Arm) => {
      const pupils = armOf(trial, arm);
      const scores = pupils.flatMap(({ score }) => score ?? []).sort((a, b) => a - b);
      const n = scores.length;
      const quantile = sampleQuantile(scores, p) ?? Number.NaN;
      const ranks = ok(orderStatisticRanks(n, p, alpha));
      const below = scores.filter((score) => score <= quantile).length;
      const error = quantileError({
        p,
        alpha,
        nEvents: n,
        nClusters: pupils.length,
        sumBelow: below,
        sumBelowSquares: below,
        sumEvents: n,
        sumEventsSquares: n,
        sumProduct: below,
        quantileLower: scores[ranks.normalLower - 1] ?? Number.NaN,
        quantileUpper: scores[ranks.normalUpper - 1] ?? Number.NaN,
      });
      return { quantile, ranks, error: ok(error) };
    };
    const point = (arm: Arm) => {
      const { quantile, error } = estimate(arm);
      return { estimate: quantile, se: error.seClustered };
    };
    return {
      ...perArm(estimate),
      versus: perTreatment((arm) => ok(quantileDifference(point(arm), point(CONTROL), alpha))),
    };
  });
}

/** Caps at a percentile of all arms together. */
function winsorized(trial: Trial) {
  const values = ARMS.map((arm) => armOf(trial, arm).map(value));
  return ok(winsorizeUpper(values, SETTINGS.capPercentile));
}

/** The split of pupils, at the end and at the looks. */
function split(trial: Trial) {
  const counts = (pupils: readonly Pupil[]) =>
    ARMS.map((arm) => pupils.filter((pupil) => pupil.arm === arm).length);
  const { weights } = SETTINGS;
  const [regular = 0, small = 0] = counts(trial.pupils);
  const share = weights[1] / (weights[0] + weights[1]);
  return {
    chiSquare: ok(chiSquareSrm(counts(trial.pupils), weights)),
    exact: ok(binomialExact(small, regular + small, share)),
    sequential: ok(
      sequentialSrm(
        SETTINGS.looks.map((look) => counts(trial.pupils.slice(0, look))),
        weights,
      ),
    ),
  };
}

/** Boundaries and sample size of a plan. */
function design() {
  const { looks, power } = SETTINGS.design;
  const fractions = Array.from({ length: looks }, (_, k) => (k + 1) / looks);
  const spendings = {
    obrienFleming: { type: 'obrienFleming' },
    pocock: { type: 'pocock' },
    power: { type: 'power', param: 2 },
    hsd: { type: 'hsd', param: -4 },
  } as const;
  return Object.fromEntries(
    Object.entries(spendings).map(([name, spending]) => {
      const options = { alpha, sided: 2, spending } as const;
      return [
        name,
        {
          ...ok(groupSequentialBoundary(fractions, options)),
          ...ok(groupSequentialDesign(looks, { ...options, power })),
        },
      ];
    }),
  );
}

/** Everything that the statistics say of the trial. */
export function starNumbers(pupils: readonly Pupil[]): ReadonlyMap<string, number> {
  const trial = { pupils, arms: groupBy(pupils, ({ arm }) => arm) };
  const value_per_user = valuePerUser(trial);
  const avg_value = avgValue(trial);
  const conversion_rate = conversionRate(trial);
  const family = TREATMENTS.flatMap((arm) => [
    value_per_user.versus[arm]?.welch.pValue ?? null,
    avg_value.versus[arm]?.welch.pValue ?? null,
    conversion_rate.versus[arm]?.miettinenNurminen.pValue ?? null,
  ]);
  const methods = [
    'bonferroni',
    'holm',
    'hochberg',
    'benjaminiHochberg',
    'benjaminiYekutieli',
  ] as const;
  const adjusted = methods.map((method) => [method, adjustPValues(family, method)]);
  return new Map(
    flatten({
      value_per_user,
      avg_value,
      conversion_rate,
      quantiles: quantiles(trial),
      winsorized: winsorized(trial),
      adjusted: Object.fromEntries(adjusted),
      split: split(trial),
      design: design(),
      analysis: starAnalysis(trial),
    }),
  );
}

/** Every number and verdict in a tree under the path that leads to it. */
function flatten(tree: unknown, path = ''): readonly [string, number][] {
  if (typeof tree === 'number' || typeof tree === 'boolean') return [[path, Number(tree)]];
  if (typeof tree !== 'object' || tree === null) return [];
  return Object.entries(tree).flatMap(([name, branch]) =>
    flatten(branch, path === '' ? name : `${path}.${name}`),
  );
}
