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
  it('lies in its intervals, the exact one of which is never shorter at the end it is on', () => {
    fc.assert(
      fc.property(proportion, level, (arm, alpha) => {
        for (const interval of [wilsonInterval(arm, alpha), clopperPearsonInterval(arm, alpha)]) {
          if (interval.status !== 'ok') return false;
          const { lower, estimate, upper } = interval;
          if (!(0 <= lower && lower <= estimate && estimate <= upper && upper <= 1)) return false;
        }
        return true;
      }),
    );
  });

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
  it('changes its sign when arms or outcomes are swapped', () => {
    fc.assert(
      fc.property(proportion, proportion, level, (t, c, alpha) => {
        const a = scoreDifference(t, c, alpha);
        const swapped = [
          scoreDifference(c, t, alpha),
          scoreDifference(failures(t), failures(c), alpha),
        ];
        return swapped.every(
          (b) =>
            a.status === 'ok' &&
            b.status === 'ok' &&
            near(a.lower, -b.upper) &&
            near(a.upper, -b.lower) &&
            near(a.z, -b.z),
        );
      }),
    );
  });

  it('is significant exactly when its interval leaves out zero', () => {
    fc.assert(
      fc.property(proportion, proportion, level, (t, c, alpha) => {
        const test = scoreDifference(t, c, alpha);
        if (test.status !== 'ok') return false;
        if (Math.abs(test.pValue - alpha) < 1e-9) return true;
        return test.pValue < alpha === (test.lower > 0 || test.upper < 0);
      }),
      { numRuns: 500 },
    );
  });

  it('has nested intervals within −1…1', () => {
    fc.assert(
      fc.property(proportion, proportion, level, (t, c, alpha) => {
        for (const method of [scoreDifference, newcombeDifference]) {
          const [narrow, wide] = [method(t, c, alpha), method(t, c, alpha / 2)];
          if (narrow.status !== 'ok' || wide.status !== 'ok') return false;
          const isNested = wide.lower <= narrow.lower + 1e-12 && wide.upper >= narrow.upper - 1e-12;
          if (!isNested || wide.lower < -1 || wide.upper > 1) return false;
        }
        return true;
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
  it('is the inverse ratio when arms are swapped', () => {
    fc.assert(
      fc.property(proportion, proportion, level, (t, c, alpha) => {
        const [a, b] = [scoreLift(t, c, alpha), scoreLift(c, t, alpha)];
        if (a.status !== 'ok' || b.status !== 'ok') return false;
        const isInverse = (p: number, q: number): boolean =>
          p === 0 ? q === Number.POSITIVE_INFINITY : near(p * q, 1, 1e-8) || q === 0;
        return isInverse(a.ratioLower, b.ratioUpper) && isInverse(b.ratioLower, a.ratioUpper);
      }),
    );
  });

  it('by score leaves out zero exactly when the difference does', () => {
    fc.assert(
      fc.property(proportion, proportion, level, (t, c, alpha) => {
        const test = scoreDifference(t, c, alpha);
        const lift = scoreLift(t, c, alpha);
        if (test.status !== 'ok' || lift.status !== 'ok') return false;
        if (Math.abs(test.pValue - alpha) < 1e-9) return true;
        return test.pValue < alpha === (lift.liftLower > 0 || lift.liftUpper < 0);
      }),
      { numRuns: 500 },
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
  it('invert when arms are swapped', () => {
    const count = fc.record({
      events: fc.integer({ min: 0, max: 500 }),
      exposure: fc.integer({ min: 1, max: 1000 }),
    });
    fc.assert(
      fc.property(count, count, (t, c) => {
        const [a, b] = [poissonRateRatio(t, c, 0.05), poissonRateRatio(c, t, 0.05)];
        if (a.status !== 'ok' || b.status !== 'ok') return false;
        const isUnlimited = t.events === 0 || c.events === 0;
        return (
          near(a.pValue, b.pValue) &&
          near(a.pValueGreater, b.pValueLess) &&
          (isUnlimited || near(a.ratioLower * b.ratioUpper, 1))
        );
      }),
    );
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
