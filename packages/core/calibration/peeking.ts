import {
  anytimeValidT,
  confidenceSequence,
  groupSequentialBoundary,
  isReleasable,
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
import { type Arms, compareAdjusted, proportionOf, sampleOf, samplesOf } from './methods.ts';
import { POPULATIONS, type Population } from './populations.ts';
import { binomialDraw, multinomialDraw } from './samplers.ts';
import { ALPHA, atMost, exactly, exceeds, type Study } from './study.ts';

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

const LOOKS = 200;
const UNITS_PER_LOOK = 100;
const EVENLY: readonly number[] = Array.from({ length: LOOKS }, () => UNITS_PER_LOOK);

/** Users come, by chance, to either arm; the arms so far after each look. */
function* looksAt(
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

const splitName = (share: number): string =>
  share === 0.5 ? '50/50' : `${100 * (1 - share)}/${100 * share}`;

/** Whether both arms are large enough for verdicts. */
function isReleased({ kind }: Population, { treatment, control }: Arms): boolean {
  const arms = [treatment, control];
  return isReleasable(kind === 'rate' ? arms.map(proportionOf) : arms);
}

const PLANNED_UNITS = 4000;

/** A group sequential test of real metrics, with the gate and the error that sequential tests take. */
function groupSequentialOf(population: Population, share: number): Study {
  return {
    section: SECTION,
    name: `group sequential, ${population.name}, ${splitName(share)}`,
    simulations: 4000,
    figures: [{ name: "O'Brien–Fleming, guarded", expectation: atMost(ALPHA) }],
    prepare: () => {
      const units = UNEQUAL.map((time, k) =>
        Math.round(PLANNED_UNITS * (time - (UNEQUAL[k - 1] ?? 0))),
      );
      const spending: Spending = { type: 'obrienFleming' };
      const boundary = groupSequentialBoundary(UNEQUAL, { alpha: ALPHA, sided: 2, spending });
      if (boundary.status !== 'ok') throw new Error(boundary.status);
      return (random) => {
        let look = 0;
        for (const arms of looksAt(random, population, share, units)) {
          const critical = boundary.criticalZ[look++] ?? Number.POSITIVE_INFINITY;
          if (!isReleased(population, arms)) continue;
          const [t, c] = samplesOf(population, arms);
          const error = robustStandardError(t, c);
          if (error.status === 'ok' && Math.abs(t.mean - c.mean) >= critical * error.se) {
            return [true];
          }
        }
        return [false];
      };
    },
  };
}

const rejects = (look: SequentialEstimate): boolean => {
  const sequence = confidenceSequence(look, SEQUENCE);
  return sequence.status === 'ok' && sequence.pValue < ALPHA;
};

/** Whether a confidence sequence rejects at this look, as the engine does it and without its guards. */
function sequenceRejects(
  [treatment, control]: readonly [Sample, Sample],
  isOpen: boolean,
): { readonly guarded: boolean; readonly bare: boolean } {
  const error = robustStandardError(treatment, control);
  if (error.status !== 'ok') return { guarded: false, bare: false };
  const estimate = treatment.mean - control.mean;
  const n = treatment.n + control.n;
  return {
    guarded: isOpen && rejects({ estimate, se: error.se, n }),
    // Without variance yet, any difference at all is infinitely many errors away from none.
    bare: error.welchSe > 0 ? rejects({ estimate, se: error.welchSe, n }) : estimate !== 0,
  };
}

const BITES =
  'without gate and pooled error a small arm finds effects that are not there (§4.2); the test must see it';

/** The confidence sequence in one population and split, with and without its guards. */
function sequence(population: Population, share: number, mustBite: boolean): Study {
  return {
    section: SECTION,
    name: `sequence, ${LOOKS} looks, ${population.name}, ${splitName(share)}`,
    simulations: 2000,
    figures: [
      { name: 'guarded', expectation: atMost(ALPHA) },
      ...(mustBite ? [{ name: 'unguarded', expectation: exceeds(ALPHA, BITES) }] : []),
    ],
    prepare: () => (random) => {
      let [guarded, unguarded] = [false, false];
      for (const { treatment, control } of looksAt(random, population, share, EVENLY)) {
        if (treatment.n < 2 || control.n < 2) continue;
        const arms = { treatment, control };
        const look = sequenceRejects(samplesOf(population, arms), isReleased(population, arms));
        guarded ||= look.guarded;
        unguarded ||= look.bare;
        if (guarded && unguarded) break;
      }
      return [guarded, unguarded];
    },
  };
}

/** The same adjusted by CUPED, whose adjusted arms are samples like any. */
function adjustedSequence(population: Population, share: number): Study {
  return {
    section: SECTION,
    name: `CUPED sequence, ${LOOKS} looks, ${population.name}, ${splitName(share)}`,
    simulations: 1000,
    figures: [{ name: 'guarded', expectation: atMost(ALPHA) }],
    prepare: () => (random) => {
      for (const arms of looksAt(random, population, share, EVENLY)) {
        if (!isReleased(population, arms)) continue;
        const adjusted = compareAdjusted(population, arms);
        if (adjusted.status !== 'ok') continue;
        if (sequenceRejects([adjusted.treatment, adjusted.control], true).guarded) return [true];
      }
      return [false];
    },
  };
}

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
  ...Object.values(POPULATIONS).flatMap((population) =>
    [0.5, 0.05].map((share) => groupSequentialOf(population, share)),
  ),
  ...Object.values(POPULATIONS).flatMap((population) => [
    sequence(population, 0.5, false),
    sequence(population, 0.05, TREACHEROUS.has(population)),
    adjustedSequence(population, 0.5),
    adjustedSequence(population, 0.05),
  ]),
  normalValues,
  split,
];
