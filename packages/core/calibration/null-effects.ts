import { compareAdjusted, defaultPValue, pOf, type Sizes } from './methods.ts';
import { POPULATIONS, type Population } from './populations.ts';
import { ALPHA, exactly, type Figure, type Study } from './study.ts';

// §9.3: experiments in which nothing happens, in every population, size and split, with and without
// CUPED.

/** Users per arm, on average. */
const SIZES = [50, 200, 1000, 5000, 20_000] as const;

const SPLITS = [
  { name: '50/50', treatment: 1, control: 1 },
  { name: '90/10', treatment: 0.2, control: 1.8 },
] as const;

/** Unit by unit, so large samples take time. */
const SLOW: ReadonlySet<Population> = new Set([POPULATIONS.lognormal, POPULATIONS.ratio]);

function cell(population: Population, n: number, split: (typeof SPLITS)[number]): Study {
  const sizes: Sizes = { treatment: n * split.treatment, control: n * split.control };
  const isSlow = SLOW.has(population) && n >= 20_000;
  const figures: readonly Figure[] = [
    { name: population.kind === 'rate' ? 'score' : 'Welch', expectation: exactly(ALPHA) },
    { name: 'CUPED', expectation: exactly(ALPHA) },
  ];
  return {
    section: '9.3',
    name: `${population.name}, ${split.name}, n ${n}`,
    simulations: isSlow ? 4000 : 10_000,
    figures,
    prepare: () => (random) => {
      const arms = {
        treatment: population.draw(random, sizes.treatment),
        control: population.draw(random, sizes.control),
      };
      return [defaultPValue(population, arms), pOf(compareAdjusted(population, arms))];
    },
  };
}

export const NULL_EFFECTS: readonly Study[] = Object.values(POPULATIONS).flatMap((population) =>
  SPLITS.flatMap((split) => SIZES.map((n) => cell(population, n, split))),
);
