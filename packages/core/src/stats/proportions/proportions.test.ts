import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { level, proportion } from '../../../test/stats/arbitraries.ts';
import {
  clopperPearsonInterval,
  constrainedRates,
  fisherTest,
  logRateLift,
  newcombeDifference,
  type Proportion,
  poissonRateRatio,
  scoreDifference,
  scoreLift,
  wilsonInterval,
  zDifference,
} from '../index.ts';

const failures = ({ x, n }: Proportion): Proportion => ({ x: n - x, n });
const near = (a: number, b: number, tolerance = 1e-9): boolean => Math.abs(a - b) <= tolerance;

describe('one rate', () => {
  it('has the mirrored interval of its complement', () => {
    fc.assert(
      fc.property(proportion, level, (arm, alpha) => {
        for (const method of [wilsonInterval, clopperPearsonInterval]) {
          const [a, b] = [method(arm, alpha), method(failures(arm), alpha)];
          if (a.status !== 'ok' || b.status !== 'ok') return false;
          if (!near(a.lower, 1 - b.upper) || !near(a.upper, 1 - b.lower)) return false;
        }
        return true;
      }),
    );
  });

  it('among a billion units keeps its digits', () => {
    const exact = clopperPearsonInterval({ x: 3, n: 1_000_000_000 }, 0.05);
    if (exact.status !== 'ok') throw new Error(exact.status);
    // The limits of three Poisson events.
    expect(exact.lower / 6.186721232e-10).toBeCloseTo(1, 7);
    expect(exact.upper / 8.767272692e-9).toBeCloseTo(1, 7);
  });
});

describe('the difference of rates', () => {
  it('changes its sign when outcomes are swapped', () => {
    fc.assert(
      fc.property(proportion, proportion, level, (t, c, alpha) => {
        const a = scoreDifference(t, c, alpha);
        const b = scoreDifference(failures(t), failures(c), alpha);
        return (
          a.status === 'ok' &&
          b.status === 'ok' &&
          near(a.lower, -b.upper) &&
          near(a.upper, -b.lower) &&
          near(a.z, -b.z)
        );
      }),
    );
  });

  it('of nothing against nothing is informative all the same', () => {
    const none = { x: 0, n: 10 };
    const test = scoreDifference(none, none, 0.05);
    expect(test).toMatchObject({ status: 'ok', z: 0, pValue: 1 });
    if (test.status === 'ok') {
      expect(test.upper).toBeCloseTo(0.2879, 3);
      expect(test.lower).toBeCloseTo(-0.2879, 3);
    }
  });

  it('keeps its digits where nearly all of a billion units succeeded', () => {
    const arms = [
      { x: 999_999_999, n: 1_000_000_000 },
      { x: 999_999_990, n: 1_000_000_000 },
    ] as const;
    const test = scoreDifference(...arms, 0.05);
    if (test.status !== 'ok') throw new Error(test.status);
    // Evaluated with 60 digits.
    expect(test.diff / 9e-9).toBeCloseTo(1, 12);
    expect(test.lower / 3.13882657737207e-9).toBeCloseTo(1, 12);
    expect(test.upper / 1.75205631316565e-8).toBeCloseTo(1, 12);
    expect(test.pValue / 0.00665560534666914).toBeCloseTo(1, 12);
    const [t, c] = arms;
    for (const method of [newcombeDifference, zDifference]) {
      expect(method(t, c, 0.05)).toEqual(method(failures(c), failures(t), 0.05));
    }
  });

  it('at a given distance fits rates at that distance', () => {
    fc.assert(
      fc.property(proportion, proportion, fc.integer({ min: -99, max: 99 }), (t, c, percent) => {
        const delta = percent / 100;
        const rates = constrainedRates(t, c, delta);
        return (
          near(rates.treatment - rates.control, delta, 1e-12) &&
          rates.control >= 0 &&
          rates.treatment <= 1
        );
      }),
    );
  });

  it('by z differs from the score statistic by the factor √(N/(N − 1)) alone', () => {
    fc.assert(
      fc.property(proportion, proportion, (t, c) => {
        const z = zDifference(t, c, 0.05);
        const score = scoreDifference(t, c, 0.05);
        if (z.status === 'ZERO_VARIANCE') return score.status === 'ok' && score.pValue === 1;
        if (z.status !== 'ok' || score.status !== 'ok') return false;
        const total = t.n + c.n;
        return near(
          z.zPooled * Math.sqrt((total - 1) / total),
          score.z,
          1e-9 + 1e-9 * Math.abs(z.zPooled),
        );
      }),
    );
  });
});

describe("Fisher's test", () => {
  it('has tails that overlap in the table seen', () => {
    fc.assert(
      fc.property(proportion, proportion, (t, c) => {
        const test = fisherTest(t, c);
        if (test.status !== 'ok') return false;
        const { pValue, midPValue, pValueGreater, pValueLess } = test;
        const seen = pValueGreater + pValueLess - 1;
        return (
          seen > -1e-9 &&
          pValue >= Math.min(pValueGreater, pValueLess) - 1e-9 &&
          midPValue <= pValue + 1e-12
        );
      }),
    );
  });

  it('keeps its digits in the tail', () => {
    // 0/30 against 30/30 is one table of C(60, 30), and so is its mirror image.
    const test = fisherTest({ x: 0, n: 30 }, { x: 30, n: 30 });
    if (test.status !== 'ok') throw new Error(test.status);
    expect(test.pValue / (2 / 1.1826458156486142e17)).toBeCloseTo(1, 10);
    expect(fisherTest({ x: 5, n: 5 }, { x: 7, n: 7 })).toMatchObject({ pValue: 1, midPValue: 1 });
  });
});

describe('the lift of a rate', () => {
  it.each([
    // Of a million units, and of a billion; evaluated with 60 digits.
    [999_990, 999_970, 1_000_000, 2.00006000180005e-5, 8.00848035334014e-6, 3.37792202681303e-5],
    [
      999_999_999, 999_999_990, 1_000_000_000, 9.00000009e-9, 3.13882660027681e-9,
      1.75205634528386e-8,
    ],
  ])('keeps its digits where nearly all units succeeded: %d against %d', (...row) => {
    const [xT, xC, n, lift, lower, upper] = row;
    const byScore = scoreLift({ x: xT, n }, { x: xC, n }, 0.05);
    if (byScore.status !== 'ok' || byScore.lift === null) throw new Error(byScore.status);
    expect(byScore.lift / lift).toBeCloseTo(1, 12);
    expect(byScore.liftLower / lower).toBeCloseTo(1, 11);
    expect(byScore.liftUpper / upper).toBeCloseTo(1, 11);
    const byLog = logRateLift({ x: xT, n }, { x: xC, n }, 0.05);
    if (byLog.status !== 'ok') throw new Error(byLog.status);
    expect(byLog.lift).toBe(byScore.lift);
    expect((byLog.seLog ?? 0) / Math.sqrt((n - xT) / n / xT + (n - xC) / n / xC)).toBeCloseTo(
      1,
      12,
    );
  });

  it('has no upper limit without a success in the control, and no log without one at all', () => {
    const [none, all] = [
      { x: 0, n: 10 },
      { x: 10, n: 10 },
    ];
    expect(scoreLift(none, none, 0.05)).toMatchObject({
      lift: null,
      ratioLower: 0,
      ratioUpper: Number.POSITIVE_INFINITY,
    });
    expect(logRateLift(all, none, 0.05)).toEqual({ status: 'ZERO_BASELINE' });
    expect(logRateLift(none, all, 0.05)).toMatchObject({ lift: -1, seLog: null, liftUpper: null });
  });
});

describe('event rates', () => {
  it('keep their digits where one exposure dwarfs the other', () => {
    const [t, c] = [
      { events: 9, exposure: 1_000_000_000 },
      { events: 20, exposure: 3 },
    ];
    // Evaluated with 50 digits.
    const expected = 3.492016021678029e-164;
    const results = [poissonRateRatio(t, c, 0.05), poissonRateRatio(c, t, 0.05)];
    const [less, greater] = results.map((test) => (test.status === 'ok' ? test : null));
    expect((less?.pValueLess ?? 0) / expected).toBeCloseTo(1, 11);
    expect((greater?.pValueGreater ?? 0) / expected).toBeCloseTo(1, 11);
  });

  it('without any event say nothing', () => {
    const none = { events: 0, exposure: 1 };
    expect(poissonRateRatio(none, none, 0.05)).toMatchObject({
      rateRatio: null,
      pValue: 1,
      ratioLower: 0,
      ratioUpper: Number.POSITIVE_INFINITY,
    });
  });
});
