import { plannedCritical } from '../src/analysis/planned-boundary.ts';
import {
  anytimeValidT,
  confidenceSequence,
  groupSequentialBoundary,
  isArmReleasable,
  type JointMoments,
  mergeJointMoments,
  monitorGroupSequential,
  msprt,
  naivePeeking,
  normalIsf,
  robustStandardError,
  type Sample,
  type SequentialEstimate,
  type Spending,
  sequentialSrm,
  TUNING_N_DEFAULT,
} from '../src/stats/index.ts';
import type { Random } from '../test/stats/random.ts';
import { type Arms, compareAdjusted, proportionOf, sampleOf, samplesOf } from './comparisons.ts';
import { POPULATIONS, type Population } from './populations.ts';
import { binomialDraw, multinomialDraw } from './samplers.ts';
import { ALPHA, atMost, between, exactly, exceeds, type Study } from './study.ts';

// §9.5: experiments in which nothing happens, looked at again and again.

const SECTION = '9.5';
const SEQUENCE = { alpha: ALPHA, tuningN: TUNING_N_DEFAULT } as const;

/** Whether a walk, standardised, ever reaches the boundary of a look. */
function everCrosses(
  random: Random,
  fractions: readonly number[],
  criticalZ: readonly number[],
): boolean {
  let [place, time] = [0, 0];
  return fractions.some((fraction, k) => {
    place += Math.sqrt(fraction - time) * random.normal();
    time = fraction;
    return Math.abs(place) >= (criticalZ[k] ?? Number.POSITIVE_INFINITY) * Math.sqrt(fraction);
  });
}

function naive(looks: number): Study {
  const expected = naivePeeking(looks, ALPHA);
  if (expected.status !== 'ok') throw new Error(expected.status);
  const fractions = Array.from({ length: looks }, (_, k) => (k + 1) / looks);
  const criticalZ = fractions.map(() => normalIsf(ALPHA / 2));
  return {
    section: SECTION,
    name: `naive z at ${looks} looks`,
    simulations: 10_000,
    figures: [{ name: 'ever rejects', expectation: exactly(expected.familywiseTypeI) }],
    prepare: () => (random) => [everCrosses(random, fractions, criticalZ)],
  };
}

const UNEQUAL = [0.07, 0.1, 0.35, 0.6, 0.62, 0.9, 1] as const;

const SPENDINGS: readonly { readonly name: string; readonly spending: Spending }[] = [
  { name: "O'Brien–Fleming", spending: { type: 'obrienFleming' } },
  { name: 'Pocock', spending: { type: 'pocock' } },
  { name: 't²', spending: { type: 'power', param: 2 } },
  { name: 'HSD −4', spending: { type: 'hsd', param: -4 } },
];

const groupSequential: Study = {
  section: SECTION,
  name: 'group sequential, 7 unequal looks',
  simulations: 10_000,
  figures: SPENDINGS.map(({ name }) => ({ name, expectation: exactly(ALPHA) })),
  prepare: () => {
    const criticals = SPENDINGS.map(({ spending }) => {
      const boundary = groupSequentialBoundary(UNEQUAL, { alpha: ALPHA, sided: 2, spending });
      if (boundary.status !== 'ok') throw new Error(boundary.status);
      return boundary.criticalZ;
    });
    return (random) => criticals.map((criticalZ) => everCrosses(random, UNEQUAL, criticalZ));
  },
};

/** Shares of the planned users at looks that come as they come, ending early, on time and late. */
const CALENDARS = [
  [0.02, 0.31, 0.33, 0.71],
  [0.11, 0.45, 0.46, 0.8, 1],
  [0.2, 0.5, 0.95, 1.3],
] as const;

const monitored: Study = {
  section: SECTION,
  name: 'group sequential, ends at 71, 100 or 130 %',
  simulations: 10_000,
  figures: SPENDINGS.map(({ name }) => ({ name, expectation: exactly(ALPHA) })),
  prepare: () => {
    const criticals = SPENDINGS.map(({ spending }) =>
      CALENDARS.map((calendar) => {
        const monitor = monitorGroupSequential(
          calendar.map((information) => ({ information, estimate: 0, se: 1 })),
          { alpha: ALPHA, sided: 2, spending, plannedInformation: 1, isLastLookFinal: true },
        );
        if (monitor.status !== 'ok') throw new Error(monitor.status);
        return monitor.criticalZ;
      }),
    );
    return (random) => {
      const k = Math.floor(CALENDARS.length * random.uniform());
      return criticals.map((of) => everCrosses(random, CALENDARS[k] ?? [], of[k] ?? []));
    };
  },
};

export const LOOKS = 200;
const UNITS_PER_LOOK = 100;
export const EVENLY: readonly number[] = Array.from({ length: LOOKS }, () => UNITS_PER_LOOK);

/** Users come, by chance, to either arm; the arms so far after each look. */
export function* looksAt(
  random: Random,
  population: Population,
  share: number,
  unitsPerLook: readonly number[],
): Generator<Arms> {
  let arms: Arms = { treatment: population.draw(random, 0), control: population.draw(random, 0) };
  for (const units of unitsPerLook) {
    const treated = binomialDraw(random, units, share);
    const grow = (arm: JointMoments, units: number): JointMoments =>
      mergeJointMoments(arm, population.draw(random, units));
    arms = {
      treatment: grow(arms.treatment, treated),
      control: grow(arms.control, units - treated),
    };
    yield arms;
  }
}

export const splitName = (share: number): string =>
  share === 0.5 ? '50/50' : `${100 * (1 - share)}/${100 * share}`;

/** Whether both arms are large enough for verdicts. */
function isReleased({ kind }: Population, { treatment, control }: Arms): boolean {
  const arms = [treatment, control];
  return (kind === 'rate' ? arms.map(proportionOf) : arms).every(isArmReleasable);
}

/** What the engine asks of |Z| at each of the looks when the last of them is the planned end. */
const PLANNED: readonly number[] = EVENLY.map((_, k) =>
  plannedCritical(ALPHA, 2, { fraction: (k + 1) / LOOKS, isEnd: k === LOOKS - 1 }),
);

const rejects = (look: SequentialEstimate): boolean => {
  const sequence = confidenceSequence(look, SEQUENCE);
  return sequence.status === 'ok' && sequence.pValue < ALPHA;
};

/** What rejects at a look: a confidence sequence, the boundary of a plan, a sequence without its guards. */
interface Rejections {
  readonly guarded: boolean;
  readonly planned: boolean;
  readonly bare: boolean;
}

/**
 * Whether the engine rejects at this look, and what would reject without its guards.
 *
 * @param critical what the plan asks of |Z|
 */
function lookRejects(
  [treatment, control]: readonly [Sample, Sample],
  isOpen: boolean,
  critical: number,
): Rejections {
  const error = robustStandardError(treatment, control);
  if (error.status !== 'ok') return { guarded: false, planned: false, bare: false };
  const estimate = treatment.mean - control.mean;
  const n = treatment.n + control.n;
  return {
    guarded: isOpen && rejects({ estimate, se: error.se, n }),
    planned: isOpen && Math.abs(estimate) > critical * error.se,
    // Without variance yet, any difference at all is infinitely many errors away from none.
    bare: error.welchSe > 0 ? rejects({ estimate, se: error.welchSe, n }) : estimate !== 0,
  };
}

const BITES =
  'without gate and pooled error a small arm finds effects that are not there (§4.2); the test must see it';

/** Both sequential tests in one population and split, the confidence sequence also without its guards. */
function sequence(population: Population, share: number, mustBite: boolean): Study {
  return {
    section: SECTION,
    name: `sequential, ${LOOKS} looks, ${population.name}, ${splitName(share)}`,
    simulations: 2000,
    figures: [
      { name: 'sequence, guarded', expectation: atMost(ALPHA) },
      { name: 'with a plan, guarded', expectation: atMost(ALPHA) },
      ...(mustBite ? [{ name: 'sequence, unguarded', expectation: exceeds(ALPHA, BITES) }] : []),
    ],
    prepare: () => (random) => {
      let [guarded, planned, unguarded] = [false, false, false];
      let look = 0;
      for (const arms of looksAt(random, population, share, EVENLY)) {
        const critical = PLANNED[look++] ?? Number.POSITIVE_INFINITY;
        if (arms.treatment.n < 2 || arms.control.n < 2) continue;
        const samples = samplesOf(population, arms);
        const rejected = lookRejects(samples, isReleased(population, arms), critical);
        guarded ||= rejected.guarded;
        planned ||= rejected.planned;
        unguarded ||= rejected.bare;
      }
      return [guarded, planned, unguarded];
    },
  };
}

/** The same adjusted by CUPED, whose adjusted arms are samples like any. */
function adjustedSequence(population: Population, share: number): Study {
  return {
    section: SECTION,
    name: `CUPED sequential, ${LOOKS} looks, ${population.name}, ${splitName(share)}`,
    simulations: 1000,
    figures: [
      { name: 'sequence, guarded', expectation: atMost(ALPHA) },
      { name: 'with a plan, guarded', expectation: atMost(ALPHA) },
    ],
    prepare: () => (random) => {
      let [guarded, planned] = [false, false];
      let look = 0;
      for (const arms of looksAt(random, population, share, EVENLY)) {
        const critical = PLANNED[look++] ?? Number.POSITIVE_INFINITY;
        if (!isReleased(population, arms)) continue;
        const adjusted = compareAdjusted(population, arms);
        if (adjusted.status !== 'ok') continue;
        const rejected = lookRejects([adjusted.treatment, adjusted.control], true, critical);
        guarded ||= rejected.guarded;
        planned ||= rejected.planned;
      }
      return [guarded, planned];
    },
  };
}

/** Walks that are looked at every so many parts of a plan, up to a number of looks. */
function plannedWalks(
  calendars: readonly (readonly [perPlan: number, looks: number])[],
): Study['prepare'] {
  return () => {
    const walks = calendars.map(([perPlan, looks]) => {
      const fractions = Array.from({ length: looks }, (_, k) => (k + 1) / perPlan);
      const criticalZ = fractions.map((fraction) =>
        plannedCritical(ALPHA, 2, { fraction: Math.min(1, fraction), isEnd: fraction >= 1 }),
      );
      return { fractions, criticalZ };
    });
    return (random) =>
      walks.map(({ fractions, criticalZ }) => everCrosses(random, fractions, criticalZ));
  };
}

const planKept: Study = {
  section: SECTION,
  name: 'the boundary of a plan that is kept',
  simulations: 10_000,
  figures: [
    { name: '5 looks', expectation: atMost(ALPHA) },
    { name: '50 looks', expectation: atMost(ALPHA) },
    { name: '1,000 looks', expectation: between(0.04, ALPHA, 'most of the error is put to use') },
  ],
  prepare: plannedWalks([
    [5, 5],
    [50, 50],
    [1000, 1000],
  ]),
};

const NOT_KEPT = 'looks beyond the plan are not paid for, and it must be seen what they cost';

const planPassed: Study = {
  section: SECTION,
  name: 'the boundary of a plan that is passed, 50 looks and more',
  simulations: 20_000,
  figures: [
    { name: 'up to 1.1 times its users', expectation: exceeds(ALPHA, NOT_KEPT) },
    { name: 'up to 1.3 times its users', expectation: exceeds(ALPHA, NOT_KEPT) },
    { name: 'up to twice its users', expectation: exceeds(ALPHA, NOT_KEPT) },
  ],
  prepare: plannedWalks([
    [50, 55],
    [50, 65],
    [50, 100],
  ]),
};

/** §4.2 saw these fail in a small arm: rare or skewed values, of which it has none for a while. */
const TREACHEROUS: ReadonlySet<Population> = new Set([
  POPULATIONS.twentieth,
  POPULATIONS.rare,
  POPULATIONS.lognormal,
  POPULATIONS.zeros,
]);

/** Always-valid tests whose assumptions hold exactly for normal values. */
const normalValues: Study = {
  section: SECTION,
  name: `${LOOKS} looks, normal, 50/50`,
  simulations: 2000,
  figures: [
    { name: 'mSPRT', expectation: atMost(ALPHA) },
    { name: 'anytime-valid t', expectation: atMost(ALPHA) },
    { name: 'one-sided sequence', expectation: atMost(ALPHA) },
  ],
  prepare: () => (random) => {
    let [sprt, anytime, oneSided] = [false, false, false];
    for (const { treatment, control } of looksAt(random, POPULATIONS.normal, 0.5, EVENLY)) {
      const error = robustStandardError(
        sampleOf(POPULATIONS.normal, treatment),
        sampleOf(POPULATIONS.normal, control),
      );
      if (error.status !== 'ok') continue;
      const estimate = (treatment.mean[0] ?? 0) - (control.mean[0] ?? 0);
      const n = treatment.n + control.n;
      const mixture = msprt(estimate, error.welchSe, 0.01, ALPHA);
      const t = anytimeValidT({ t: estimate / error.pooledSe, df: n - 2, n }, 100, ALPHA);
      const one = confidenceSequence(
        { estimate, se: error.se, n },
        { ...SEQUENCE, sided: 1, alternative: 'greater' },
      );
      sprt ||= mixture.status === 'ok' && mixture.pValue < ALPHA;
      anytime ||= t.status === 'ok' && t.pValue < ALPHA;
      oneSided ||= one.status === 'ok' && one.pValue < ALPHA;
    }
    return [sprt, anytime, oneSided];
  },
};

const WEIGHTS = [5, 3, 2] as const;

const split: Study = {
  section: SECTION,
  name: `sequential sample ratio, ${LOOKS} looks`,
  simulations: 4000,
  figures: [
    { name: 'κ 10,000 at 0.05', expectation: atMost(ALPHA) },
    { name: 'κ 100 at 0.05', expectation: atMost(ALPHA) },
    { name: 'κ 100, alarm at 0.001', expectation: atMost(0.001) },
  ],
  prepare: () => (random) => {
    const counts = [0, 0, 0];
    const looks = Array.from({ length: LOOKS }, () => {
      const fresh = multinomialDraw(random, UNITS_PER_LOOK, [0.5, 0.3, 0.2]);
      for (const [arm, count] of fresh.entries()) counts[arm] = (counts[arm] ?? 0) + count;
      return [...counts];
    });
    const [slow, quick] = [10_000, 100].map((concentration) => {
      const test = sequentialSrm(looks, WEIGHTS, concentration);
      return test.status === 'ok' ? (test.pValue.at(-1) ?? 1) : Number.NaN;
    });
    return [slow ?? Number.NaN, quick ?? Number.NaN, (quick ?? 1) < 0.001];
  },
};

export const PEEKING: readonly Study[] = [
  ...[2, 5, 10, 20, 50].map(naive),
  groupSequential,
  monitored,
  planKept,
  planPassed,
  ...Object.values(POPULATIONS).flatMap((population) => [
    sequence(population, 0.5, false),
    sequence(population, 0.05, TREACHEROUS.has(population)),
    adjustedSequence(population, 0.5),
    adjustedSequence(population, 0.05),
  ]),
  normalValues,
  split,
];
