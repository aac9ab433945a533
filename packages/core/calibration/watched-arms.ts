import { armIntervals } from '../src/analysis/arm-interval.ts';
import { sampleOf } from '../src/analysis/arm-sample.ts';
import { boundaryOf } from '../src/analysis/boundary.ts';
import type { AnalysisOptions, ArmData } from '../src/analysis/types.ts';
import type { JointMoments } from '../src/stats/index.ts';
import { proportionOf } from './comparisons.ts';
import { EVENLY, LOOKS, looksAt, splitName } from './peeking.ts';
import { POPULATIONS, type Population } from './populations.ts';
import { ALPHA, atMost, type Study } from './study.ts';

// §9.5: the interval of one arm by itself, looked at again and again, against what it is to hold.

const OPTIONS: AnalysisOptions = {
  method: 'sequential',
  alpha: ALPHA,
  minSample: 0,
  plannedUsers: null,
  isOver: false,
};

const SEQUENCE = boundaryOf(ALPHA, 2, null);
/** At each of the looks, of which the last is the planned end. */
const PLANNED = EVENLY.map((_, k) =>
  boundaryOf(ALPHA, 2, { fraction: (k + 1) / LOOKS, isEnd: k === LOOKS - 1 }),
);

/** An arm as a store would give it, without its covariate. */
function armData({ kind }: Population, moments: JointMoments): ArmData {
  const { n, mean, products } = moments;
  const [y = Number.NaN, d = Number.NaN] = mean;
  if (kind === 'rate') return { kind, ...proportionOf(moments), joint: null };
  const width = kind === 'ratio' ? 2 : 1;
  const own: JointMoments = {
    n,
    mean: mean.slice(0, width),
    products: products.slice(0, width).map((row) => row.slice(0, width)),
  };
  return kind === 'mean'
    ? { kind, total: n * y, moments: own }
    : { kind, numerator: n * y, denominator: n * d, about: 0, aboutBefore: 0, moments: own };
}

/** Of the treatment, whose share it is. */
function watchedArm(population: Population, share: number): Study {
  return {
    section: '9.5',
    name: `an arm by itself, ${LOOKS} looks, ${population.name}, ${splitName(share)}`,
    simulations: 1000,
    figures: [
      { name: 'sequence ever misses', expectation: atMost(ALPHA) },
      { name: 'with a plan ever misses', expectation: atMost(ALPHA) },
    ],
    prepare: () => (random) => {
      const missed = [false, false];
      let look = 0;
      for (const { treatment, control } of looksAt(random, population, share, EVENLY)) {
        const boundaries = [SEQUENCE, PLANNED[look++] ?? null];
        if (treatment.n < 2 || control.n < 2) continue;
        const data = [treatment, control].map((arm) => armData(population, arm));
        const samples = data.map((arm) => sampleOf(arm, ALPHA));
        for (const [k, boundary] of boundaries.entries()) {
          const [own] = armIntervals(data, samples, { options: OPTIONS, boundary });
          const [lower, upper] = [own?.lower ?? -Infinity, own?.upper ?? Infinity];
          if (!(lower <= population.mean && population.mean <= upper)) missed[k] = true;
        }
      }
      return missed;
    },
  };
}

export const WATCHED_ARMS: readonly Study[] = Object.values(POPULATIONS).flatMap((population) =>
  [0.5, 0.05].map((share) => watchedArm(population, share)),
);
