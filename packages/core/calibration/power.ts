import { plannedCritical, plannedInflation } from '../src/analysis/planned-boundary.ts';
import {
  confidenceSequence,
  groupSequentialBoundary,
  groupSequentialDesign,
  type JointMoments,
  meanSampleSize,
  mergeJointMoments,
  multiArmSampleSize,
  nonInferiorityAbsolute,
  nonInferioritySampleSize,
  type Outcome,
  proportionMde,
  proportionSampleSize,
  ratioSampleSize,
  robustStandardError,
  type Spending,
  scoreDifference,
  sequenceSampleSize,
  TUNING_N_DEFAULT,
  varianceOf,
  welchDifference,
} from '../src/stats/index.ts';
import { type Random, randomStream } from '../test/stats/random.ts';
import { compareAdjusted, sampleOf } from './comparisons.ts';
import { normalSample, POPULATIONS } from './populations.ts';
import { binomialDraw } from './samplers.ts';
import { ALPHA, atLeast, between, type Figure, type Study } from './study.ts';

// §9.5: experiments with just the effect and the size that §7 plans find it as often as planned.

const SECTION = '9.5';
const POWER = 0.8;
const PLAN = { alpha: ALPHA, power: POWER } as const;

const planned = (name: string): Figure => ({
  name,
  expectation: between(POWER - 0.02, POWER + 0.02),
});

function must<T>(outcome: Outcome<T>): T {
  if (outcome.status !== 'ok') throw new Error(`a plan was refused: ${outcome.status}`);
  return outcome;
}

/** Whether a test found something, in the right direction. */
const found = (
  test: { readonly status: string; readonly pValue?: number; readonly diff?: number },
  alpha = ALPHA,
): boolean => test.status === 'ok' && (test.pValue ?? 1) < alpha && (test.diff ?? 0) > 0;

const study = (name: string, figures: readonly Figure[], prepare: Study['prepare']): Study => ({
  section: SECTION,
  name: `power of ${name}`,
  simulations: 10_000,
  figures,
  prepare,
});

function findsRate(random: Random, sizes: readonly [number, number], p: readonly [number, number]) {
  const [t, c] = sizes.map((n, k) => ({ x: binomialDraw(random, n, p[k] ?? 0), n }));
  return t !== undefined && c !== undefined && found(scoreDifference(t, c, ALPHA));
}

const rates = study(
  'rates',
  [planned('0.1 to 0.12'), planned('0.1 to 0.12, ratio 1:4'), planned('smallest effect on 0.05')],
  () => {
    const rate = { ...PLAN, pControl: 0.1, pTreatment: 0.12 };
    const equal = must(proportionSampleSize(rate));
    const unequal = must(proportionSampleSize({ ...rate, allocationRatio: 0.25 }));
    const { mdeUp } = must(proportionMde({ ...PLAN, pControl: 0.05, nControl: 10_000 }));
    const smallest = 0.05 + (mdeUp ?? Number.NaN);
    return (random) => [
      findsRate(random, [equal.nTreatmentCeil, equal.nControlCeil], [0.12, 0.1]),
      findsRate(random, [unequal.nTreatmentCeil, unequal.nControlCeil], [0.12, 0.1]),
      findsRate(random, [10_000, 10_000], [smallest, 0.05]),
    ];
  },
);

function findsMean(
  random: Random,
  [nT, nC]: readonly [number, number],
  effect: number,
  alpha = ALPHA,
): boolean {
  const [t, c] = [normalSample(random, nT, effect, 1), normalSample(random, nC, 0, 1)];
  return found(welchDifference(t, c, alpha), alpha);
}

const means = study(
  'means',
  [
    planned('0.2 deviations'),
    planned('0.2 deviations, ratio 1:4'),
    planned('1 deviation, by t'),
    planned('three arms, Bonferroni'),
  ],
  () => {
    const mean = { ...PLAN, mean: 10, sd: 1, relativeEffect: 0.02 };
    const equal = must(meanSampleSize(mean));
    const unequal = must(meanSampleSize({ ...mean, allocationRatio: 0.25 }));
    const small = Math.ceil(
      must(meanSampleSize({ ...mean, relativeEffect: 0.1 })).nControlT ?? Number.NaN,
    );
    const many = must(
      multiArmSampleSize({
        ...PLAN,
        weights: [2, 1, 1],
        variance: 1,
        absoluteEffect: 0.2,
        bonferroni: true,
      }),
    );
    const [control = 0, treatment = 0] = many.nPerArm.map(Math.ceil);
    return (random) => [
      findsMean(random, [equal.nTreatmentCeil, equal.nControlCeil], 0.2),
      findsMean(random, [unequal.nTreatmentCeil, unequal.nControlCeil], 0.2),
      findsMean(random, [small, small], 1),
      findsMean(random, [treatment, control], 0.2, many.alphaPerComparison),
    ];
  },
);

/** A ratio that grows by as much in every user keeps the variance that was planned with. */
const adjusted = study('CUPED and ratios', [planned('CUPED'), planned('ratio')], () => {
  const { normal, ratio } = POPULATIONS;
  const effect = 0.1;
  const withCovariate = must(
    meanSampleSize({
      ...PLAN,
      mean: normal.mean,
      sd: 1,
      relativeEffect: effect / normal.mean,
      cupedCorrelation: 0.7,
    }),
  );
  const history = ratio.draw(randomStream(7), 100_000);
  const [[yy = 0, yd = 0] = [], [, dd = 0] = []] = history.products;
  const [meanNumerator = 0, meanDenominator = 0] = history.mean;
  const perUnit = (m2: number): number => varianceOf({ n: history.n, mean: 0, m2 });
  const ofRatio = must(
    ratioSampleSize({
      ...PLAN,
      meanNumerator,
      meanDenominator,
      varNumerator: perUnit(yy),
      varDenominator: perUnit(dd),
      covariance: perUnit(yd),
      relativeEffect: 0.05,
    }),
  );
  return (random) => {
    const treated = normal.draw(random, withCovariate.nTreatmentCeil);
    const [y = 0, x = 0] = treated.mean;
    const cuped = compareAdjusted(normal, {
      treatment: { ...treated, mean: [y + effect, x] },
      control: normal.draw(random, withCovariate.nControlCeil),
    });
    const [t, c] = [0, 0].map(() => sampleOf(ratio, ratio.draw(random, ofRatio.nPerArmCeil)));
    if (t === undefined || c === undefined) return [];
    const lifted = { ...t, mean: t.mean + 0.05 * ratio.mean };
    return [found(cuped), found(welchDifference(lifted, c, ALPHA))];
  };
});

const guardrail = study('a guardrail', [planned('absolute margin')], () => {
  const plan = { ...PLAN, variance: 1, margin: 0.1, trueDifference: 0.02 };
  const { nTreatmentCeil, nControlCeil } = must(nonInferioritySampleSize(plan));
  return (random) => {
    const test = nonInferiorityAbsolute(
      normalSample(random, nTreatmentCeil, 0.02, 1),
      normalSample(random, nControlCeil, 0, 1),
      { goodDirection: 'increase', margin: 0.1, alpha: ALPHA },
    );
    return [test.status === 'ok' && test.nonInferior];
  };
});

const DESIGNS: readonly { readonly name: string; readonly spending: Spending }[] = [
  { name: "O'Brien–Fleming, 5 looks", spending: { type: 'obrienFleming' } },
  { name: 'Pocock, 5 looks', spending: { type: 'pocock' } },
];

/** Users of an arm that come in parts. */
function* growing(random: Random, parts: readonly number[], shift: number) {
  const { normal } = POPULATIONS;
  let arm: JointMoments = normal.draw(random, 0);
  for (const units of parts) {
    const fresh = normal.draw(random, units);
    const [y = 0, x = 0] = fresh.mean;
    arm = mergeJointMoments(arm, { ...fresh, mean: [y + shift, x] });
    yield sampleOf(normal, arm);
  }
}

const sequentialDesigns = study(
  'group sequential tests',
  DESIGNS.map(({ name }) => planned(name)),
  () => {
    const fixed = must(meanSampleSize({ ...PLAN, mean: 10, sd: 1, relativeEffect: 0.02 })).nControl;
    const designs = DESIGNS.map(({ spending }) => {
      const options = { alpha: ALPHA, sided: 2, spending } as const;
      const { inflationFactor } = must(groupSequentialDesign(5, { ...options, power: POWER }));
      const fractions = [0.2, 0.4, 0.6, 0.8, 1];
      const { criticalZ } = must(groupSequentialBoundary(fractions, options));
      const perLook = Math.ceil((fixed * inflationFactor) / 5);
      return { criticalZ, parts: fractions.map(() => perLook) };
    });
    return (random) =>
      designs.map(({ criticalZ, parts }) => {
        const [treatment, control] = [growing(random, parts, 0.2), growing(random, parts, 0)];
        for (const critical of criticalZ) {
          const [t, c] = [treatment.next().value, control.next().value];
          if (!t || !c) return false;
          const test = welchDifference(t, c, ALPHA);
          if (test.status === 'ok' && Math.abs(test.t) >= critical) return test.t > 0;
        }
        return false;
      });
  },
);

/** Watched at every hundredth of the planned users. */
const planKept = study('a plan that is watched', [planned('100 looks')], () => {
  const looks = 100;
  const fixed = must(meanSampleSize({ ...PLAN, mean: 10, sd: 1, relativeEffect: 0.005 })).nControl;
  const perLook = Math.ceil((fixed * plannedInflation(ALPHA, 2, POWER)) / looks);
  const parts = Array.from({ length: looks }, () => perLook);
  const criticals = parts.map((_, k) =>
    plannedCritical(ALPHA, 2, { fraction: (k + 1) / looks, isEnd: k === looks - 1 }),
  );
  return (random) => {
    const [treatment, control] = [growing(random, parts, 0.05), growing(random, parts, 0)];
    for (const critical of criticals) {
      const [t, c] = [treatment.next().value, control.next().value];
      if (!t || !c) break;
      const error = robustStandardError(t, c);
      const distance = t.mean - c.mean;
      if (error.status === 'ok' && Math.abs(distance) > critical * error.se) {
        return [distance > 0];
      }
    }
    return [false];
  };
});

const sequence = study(
  'a confidence sequence',
  [
    planned('at the planned look'),
    {
      name: 'at any of 20 looks up to it',
      expectation: atLeast(POWER - 0.02, 'the plan is for one look; more looks find no less (§7)'),
    },
  ],
  () => {
    const { totalN } = must(
      sequenceSampleSize({ ...PLAN, variance: 1, absoluteEffect: 0.2, tuningN: TUNING_N_DEFAULT }),
    );
    const looks = 20;
    const parts = Array.from({ length: looks }, () => Math.ceil(totalN / 2 / looks));
    return (random) => {
      const [treatment, control] = [growing(random, parts, 0.2), growing(random, parts, 0)];
      let [isFound, wasFound] = [false, false];
      for (const t of treatment) {
        const c = control.next().value;
        if (!c) break;
        const error = robustStandardError(t, c);
        if (error.status !== 'ok') continue;
        const look = confidenceSequence(
          { estimate: t.mean - c.mean, se: error.se, n: t.n + c.n },
          { alpha: ALPHA, tuningN: TUNING_N_DEFAULT },
        );
        isFound = look.status === 'ok' && look.lower > 0;
        wasFound ||= isFound;
      }
      return [isFound, wasFound];
    };
  },
);

export const POWERS: readonly Study[] = [
  rates,
  means,
  adjusted,
  guardrail,
  sequentialDesigns,
  planKept,
  sequence,
];
