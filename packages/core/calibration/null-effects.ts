import { mergeJointMoments } from '../src/stats/index.ts';
import { type Arms, compareAdjusted, defaultPValue, pOf } from './comparisons.ts';
import { nullExpectation, SIZES, type Split, type Test } from './known-limits.ts';
import { POPULATIONS, type Population } from './populations.ts';
import type { Figure, Study } from './study.ts';

// §9.3: experiments in which nothing happens, in every population, size and split, with and without
// CUPED.

function simulationsOf(population: Population, n: number): number {
  if (!population.isDrawnOneByOne || n < 5000) return 10_000;
  return n < 20_000 ? 4000 : 2000;
}

const SPLITS: readonly Split[] = ['50/50', '90/10'];

/** The same users split in two ways, which draws them once. */
function cells(population: Population, n: number): Study {
  const tests: readonly Test[] = [population.kind === 'rate' ? 'score' : 'Welch', 'CUPED'];
  const figure = (split: Split, test: Test): Figure => ({
    name: `${split} ${test}`,
    expectation: nullExpectation(population, n, split, test),
    isUniform: population === POPULATIONS.normal,
  });
  return {
    section: '9.3',
    name: `${population.name}, n ${n}`,
    simulations: simulationsOf(population, n),
    figures: SPLITS.flatMap((split) => tests.map((test) => figure(split, test))),
    prepare: () => (random) => {
      const [fifth, rest] = [population.draw(random, 0.2 * n), population.draw(random, 0.8 * n)];
      const half = population.draw(random, n);
      const equal: Arms = { treatment: mergeJointMoments(fifth, rest), control: half };
      const unequal: Arms = { treatment: fifth, control: mergeJointMoments(rest, half) };
      return [equal, unequal].flatMap((arms) => [
        defaultPValue(population, arms),
        pOf(compareAdjusted(population, arms)),
      ]);
    },
  };
}

export const NULL_EFFECTS: readonly Study[] = Object.values(POPULATIONS).flatMap((population) =>
  SIZES.map((n) => cells(population, n)),
);
