import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  binomialExact,
  binomialPmf,
  chiSquareSrm,
  logGamma,
  sequentialSrm,
  srmLevel,
  srmTest,
  varyingWeightsSrm,
} from '../index.ts';

const counts = fc.array(fc.integer({ min: 0, max: 100_000 }), { minLength: 2, maxLength: 5 });

describe('the split of units', () => {
  it('is tested by χ² where every arm expects five, exactly for two arms below, else not', () => {
    expect(srmTest([6, 4], [1, 1])).toMatchObject({ test: 'chi_square', level: 'ok' });
    expect(srmTest([5, 4], [1, 1])).toMatchObject({ test: 'binomial_exact', pValue: 1 });
    expect(srmTest([9, 0], [1, 1])).toMatchObject({ test: 'binomial_exact', level: 'warning' });
    expect(srmTest([3, 4, 2], [1, 1, 1])).toMatchObject({ test: 'not_enough_data', pValue: null });
    expect(srmTest([900, 0, 0], [1, 1, 1])).toMatchObject({ level: 'alarm' });
  });

  it('has its levels', () => {
    expect([0.00099, 0.001, 0.0099, 0.01].map(srmLevel)).toEqual([
      'alarm',
      'warning',
      'warning',
      'ok',
    ]);
  });

  it('does not depend on the order of arms or the sum of weights', () => {
    fc.assert(
      fc.property(counts, fc.integer({ min: 1, max: 9 }), (list, scale) => {
        fc.pre(list.some((count) => count > 0));
        const weights = list.map((_, i) => i + 1);
        const a = chiSquareSrm(list, weights);
        const b = chiSquareSrm(
          [...list].reverse(),
          [...weights].reverse().map((w) => w * scale),
        );
        if (a.status !== 'ok' || b.status !== 'ok') return false;
        return Math.abs(a.chiSquare - b.chiSquare) <= 1e-9 * (1 + a.chiSquare);
      }),
    );
  });

  it('needs two arms, units, and none where none belong', () => {
    expect(srmTest([10], [1])).toEqual({ status: 'INVALID_INPUT' });
    expect(srmTest([0, 0], [1, 1])).toEqual({ status: 'NO_UNITS' });
    expect(srmTest([10, 1], [1, 0])).toEqual({ status: 'UNEXPECTED_ARM' });
    expect(srmTest([10, 0], [1, 0])).toEqual({ status: 'INVALID_INPUT' });
  });
});

describe('the exact test', () => {
  it('adds what is no likelier than the count seen', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 0, max: 60 }),
        fc.integer({ min: 1, max: 99 }),
        (total, seen, percent) => {
          const count = Math.min(seen, total);
          const share = percent / 100;
          const limit = binomialPmf(count, total, share) * (1 + 1e-7);
          let sum = 0;
          for (let k = 0; k <= total; k++) {
            const p = binomialPmf(k, total, share);
            if (p <= limit) sum += p;
          }
          const test = binomialExact(count, total, share);
          return test.status === 'ok' && Math.abs(test.pValue - sum) < 1e-10;
        },
      ),
      { numRuns: 300 },
    );
  });

  it('keeps its digits in the tail, and its pace with many units', () => {
    const all = binomialExact(100, 100, 0.5);
    expect(all.status === 'ok' && all.pValue * 2 ** 99).toBeCloseTo(1, 10);
    const many = binomialExact(500_000_000, 1_000_000_000, 0.5);
    expect(many).toEqual({ status: 'ok', pValue: 1 });
  });
});

describe('weights that change', () => {
  it('and do not are χ²', () => {
    fc.assert(
      fc.property(counts, (list) => {
        fc.pre(list.some((count) => count > 0));
        const weights = list.map((_, i) => i + 1);
        const halves = list.map((count) => Math.floor(count / 2));
        const rest = list.map((count, i) => count - (halves[i] ?? 0));
        const a = chiSquareSrm(list, weights);
        const b = varyingWeightsSrm([
          { counts: halves, weights },
          { counts: rest, weights },
        ]);
        if (a.status !== 'ok' || b.status !== 'ok') return false;
        return a.df === b.df && Math.abs(a.chiSquare - b.wald) <= 1e-7 * (1 + a.chiSquare);
      }),
    );
  });

  it('refuse what cannot be', () => {
    expect(varyingWeightsSrm([])).toEqual({ status: 'NO_UNITS' });
    expect(varyingWeightsSrm([{ counts: [1, 2], weights: [1] }])).toEqual({
      status: 'INVALID_INPUT',
    });
    expect(varyingWeightsSrm([{ counts: [1, 2], weights: [1, 0] }])).toEqual({
      status: 'UNEXPECTED_ARM',
    });
  });
});

describe('the sequential test', () => {
  it('is the ratio of Dirichlet and multinomial probabilities', () => {
    const [n, w, k] = [[30, 50, 15], [0.3, 0.5, 0.2], 40];
    const total = 95;
    const direct =
      logGamma(k) -
      logGamma(k + total) +
      n.reduce((sum, count, i) => {
        const prior = k * (w[i] ?? 0);
        return sum + logGamma(prior + count) - logGamma(prior) - count * Math.log(w[i] ?? 0);
      }, 0);
    const test = sequentialSrm([n], w, k);
    expect(test.status === 'ok' && test.logBayesFactor[0]).toBeCloseTo(direct, 9);
  });

  it('never takes an alarm back', () => {
    const test = sequentialSrm(
      [
        [60_000, 50_000],
        [500_000, 500_000],
      ],
      [1, 1],
    );
    if (test.status !== 'ok') throw new Error(test.status);
    const [first = 1, second = 1] = test.pValue;
    expect(first).toBeLessThan(1e-100);
    expect(second).toBe(first);
  });

  it('is precise for a billion units', () => {
    const test = sequentialSrm([[500_000_000, 500_000_000]], [0.5, 0.5], 10_000);
    // Perfect balance: ½ ln(N/κ) against, to leading order.
    expect(test.status === 'ok' && test.logBayesFactor[0]).toBeCloseTo(
      -0.5 * Math.log1p(1e9 / 1e4),
      3,
    );
  });

  it('refuses totals that fall', () => {
    const falling = [
      [10, 10],
      [9, 12],
    ];
    expect(sequentialSrm(falling, [1, 1])).toEqual({ status: 'INVALID_INPUT' });
    expect(sequentialSrm([[1, 1]], [1, 0])).toEqual({ status: 'UNEXPECTED_ARM' });
  });
});
