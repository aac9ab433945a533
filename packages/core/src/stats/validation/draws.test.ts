import { describe, expect, it } from 'vitest';
import { POPULATIONS } from '../../../calibration/populations.ts';
import { aliasSampler, binomialDraw, poissonLaw } from '../../../calibration/samplers.ts';
import { type Random, randomStream } from '../../../test/stats/random.ts';
import { binomialPmf, chiSquareSf, covarianceOf } from '../index.ts';

// What the simulations draw has the law it should have.

const DRAWS = 20_000;

/** Pearson's p-value of draws against a law on 0, 1, …; what is expected too rarely is put together. */
function fitOf(draw: (random: Random) => number, law: readonly number[]): number {
  const random = randomStream(law.length);
  const counts = new Map<number, number>();
  for (let i = 0; i < DRAWS; i++) {
    const value = draw(random);
    counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  let [statistic, cells, seen, share] = [0, 0, 0, 0];
  const add = (count: number, expected: number): void => {
    statistic += (count - expected) ** 2 / expected;
    cells++;
    seen += count;
    share += expected / DRAWS;
  };
  for (const [value, chance] of law.entries()) {
    if (chance * DRAWS >= 10) add(counts.get(value) ?? 0, chance * DRAWS);
  }
  add(DRAWS - seen, (1 - share) * DRAWS);
  return chiSquareSf(statistic, cells - 1);
}

describe('draws', () => {
  it.each([
    [30, 0.2],
    [10, 0.4],
    [2000, 0.01],
    [5000, 0.5],
  ])('of successes among %d with %d are binomial', (n, p) => {
    const law = Array.from({ length: n + 1 }, (_, x) => binomialPmf(x, n, p));
    expect(fitOf((random) => binomialDraw(random, n, p), law)).toBeGreaterThan(0.001);
  });

  it('by weight are as often as their weights say', () => {
    const law = poissonLaw(5);
    expect(fitOf(aliasSampler(law), law)).toBeGreaterThan(0.001);
  });

  it.each(Object.values(POPULATIONS).map((population) => [population.name, population] as const))(
    'of users, %s, have the mean that is claimed',
    (_, population) => {
      const n = 200_000;
      const { mean, products } = population.draw(randomStream(11), n);
      const [[variance = 0] = []] = covarianceOf({ n, mean, products });
      const [y = 0, d = 1] = mean;
      const isRatio = population.kind === 'ratio';
      // The deviation of a ratio is no larger than that of its numerator over its denominator.
      const se = Math.sqrt(variance / n) / (isRatio ? d : 1);
      expect(Math.abs((isRatio ? y / d : y) - population.mean)).toBeLessThan(4 * se);
    },
  );
});
