import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { level, value } from '../../../test/stats/arbitraries.ts';
import {
  confidenceSequence,
  type GroupSequentialOptions,
  groupSequentialBoundary,
  groupSequentialDesign,
  isArmReleasable,
  monitorGroupSequential,
  monitorSequence,
  msprt,
  naivePeeking,
  normalIsf,
  robustStandardError,
  type Spending,
  spentAlpha,
  tuneRho,
} from '../index.ts';

const SPENDINGS: readonly Spending[] = [
  { type: 'obrienFleming' },
  { type: 'pocock' },
  { type: 'power', param: 2 },
  { type: 'hsd', param: -4 },
  { type: 'hsd', param: 0 },
];

describe('the confidence sequence', () => {
  const options = { alpha: 0.05, tuningN: 5000 };
  const look = fc.record({
    estimate: value(-1, 1),
    se: value(0.01, 1),
    n: fc.integer({ min: 2, max: 1_000_000 }),
  });

  it('has one-sided intervals and p-values that agree at every look', () => {
    fc.assert(
      fc.property(look, level, (seen, alpha) => {
        const sequence = confidenceSequence(seen, { alpha, tuningN: 5000, sided: 1 });
        if (sequence.status !== 'ok') return false;
        if (Math.abs(sequence.pValue - alpha) < 1e-9) return true;
        return sequence.pValue < alpha === (sequence.lower > 0 || sequence.upper < 0);
      }),
      { numRuns: 500 },
    );
  });

  it('is wider than the fixed interval, and narrowest in its own terms near the tuned size', () => {
    const critical = (n: number): number => {
      const sequence = confidenceSequence({ estimate: 0, se: 1, n }, options);
      return sequence.status === 'ok' ? sequence.zCritical : Number.NaN;
    };
    expect(critical(5000)).toBeGreaterThan(normalIsf(0.025));
    const widths = [500, 2500, 5000, 10_000, 50_000].map(critical);
    expect(Math.min(...widths)).toBe(critical(5000));
  });

  it('mirrors its alternatives', () => {
    const seen = { estimate: 0.3, se: 0.1, n: 4000 };
    const greater = confidenceSequence(seen, { ...options, sided: 1 });
    const less = confidenceSequence(
      { ...seen, estimate: -0.3 },
      { ...options, sided: 1, alternative: 'less' },
    );
    if (greater.status !== 'ok' || less.status !== 'ok') throw new Error('refused');
    expect(less.pValue).toBe(greater.pValue);
    expect(less.upper).toBe(-greater.lower);
  });

  it('tunes nearly alike by both formulas', () => {
    const rho = tuneRho(0.05, 1);
    if (rho.status !== 'ok') throw new Error(rho.status);
    expect(rho.approximate / rho.exact).toBeCloseTo(0.966, 2);
  });

  it('over its looks never takes a decision back, and says when the effect drifts', () => {
    const looks = [
      { estimate: 0.5, se: 0.05, n: 2000 },
      { estimate: -0.5, se: 0.04, n: 4000 },
    ];
    const monitor = monitorSequence(looks, options);
    expect(monitor).toMatchObject({ isIntersectionEmpty: true, flags: ['INTERSECTION_EMPTY'] });
    fc.assert(
      fc.property(fc.array(look, { minLength: 1, maxLength: 8 }), (seen) => {
        const outcome = monitorSequence(seen, options);
        if (outcome.status !== 'ok') return false;
        const { pValueRunningMin: p } = outcome;
        return p.every((current, k) => current <= (p[k - 1] ?? 1));
      }),
    );
    expect(monitorSequence([], options)).toMatchObject({ pValue: [], isIntersectionEmpty: false });
  });
});

describe('mixture tests', () => {
  it('mSPRT is the confidence sequence with another parameter', () => {
    const rho = tuneRho(0.05, 5000);
    if (rho.status !== 'ok') throw new Error(rho.status);
    const [estimate, se, n] = [0.02, 0.006, 8000];
    const a = msprt(estimate, se, rho.approximate * n * se * se, 0.05);
    const b = confidenceSequence({ estimate, se, n }, { alpha: 0.05, tuningN: 5000 });
    if (a.status !== 'ok' || b.status !== 'ok') throw new Error('refused');
    expect(a.pValue).toBeCloseTo(b.pValue, 13);
    expect(a.halfWidth).toBeCloseTo(b.halfWidth, 13);
  });
});

describe('release', () => {
  it('takes the larger standard error', () => {
    const small = { n: 20, mean: 0, variance: 0 };
    const large = { n: 380, mean: 0.1, variance: 0.09 };
    const error = robustStandardError(small, large);
    expect(error.status === 'ok' && error.se === error.pooledSe).toBe(true);
    expect(robustStandardError(small, small)).toEqual({ status: 'ZERO_VARIANCE' });
  });

  it('waits for a hundred units, ten successes and ten failures', () => {
    expect([{ n: 100 }, { n: 100, x: 10 }].every(isArmReleasable)).toBe(true);
    expect(isArmReleasable({ n: 99 })).toBe(false);
    expect(isArmReleasable({ n: 100, x: 91 })).toBe(false);
    expect(isArmReleasable({ n: 100, x: 9 })).toBe(false);
  });
});

describe('group sequential tests', () => {
  const options: GroupSequentialOptions = {
    alpha: 0.05,
    sided: 2,
    spending: { type: 'obrienFleming' },
  };

  it.each(SPENDINGS)('spends nothing at first, all at last, and never less ($type)', (spending) => {
    expect(spentAlpha(spending, 0.025, 0)).toBe(0);
    expect(spentAlpha(spending, 0.025, 1)).toBe(0.025);
    expect(spentAlpha(spending, 0.025, 2)).toBe(0.025);
    expect(spentAlpha(spending, 0.025, 1 - 1e-12)).toBeCloseTo(0.025, 10);
    const spent = [0.1, 0.3, 0.5, 0.9].map((t) => spentAlpha(spending, 0.025, t));
    expect([...spent].sort((a, b) => a - b)).toEqual(spent);
  });

  it('with one look is the fixed test', () => {
    fc.assert(
      fc.property(level, fc.constantFrom<1 | 2>(1, 2), (alpha, sided) => {
        const boundary = groupSequentialBoundary([1], { ...options, alpha, sided });
        if (boundary.status !== 'ok') return false;
        const [critical = 0] = boundary.criticalZ;
        return Math.abs(critical - normalIsf(alpha / sided)) < 1e-12;
      }),
    );
  });

  it("with Pocock's constant boundary for five looks, 2.413, has five per cent in all", () => {
    const peeking = naivePeeking(5, 2 * 0.0079075);
    if (peeking.status !== 'ok') throw new Error(peeking.status);
    expect(peeking.familywiseTypeI).toBeCloseTo(0.05, 4);
  });

  it('costs little with boundaries like those of O’Brien and Fleming', () => {
    const design = groupSequentialDesign(5, { ...options, power: 0.8 });
    const pocock = groupSequentialDesign(5, {
      ...options,
      spending: { type: 'pocock' },
      power: 0.8,
    });
    if (design.status !== 'ok' || pocock.status !== 'ok') throw new Error('refused');
    // Jennison & Turnbull 2000 tabulate 1.23 for Pocock's own boundaries.
    expect(design.inflationFactor).toBeCloseTo(1.0247, 3);
    expect(pocock.inflationFactor).toBeCloseTo(1.213, 2);
    expect(pocock.expectedSampleSizeRatioH1).toBeLessThan(design.expectedSampleSizeRatioH1);
  });

  it('spends all at a final look, early or late', () => {
    const at = (information: number) =>
      monitorGroupSequential(
        [
          { information: 4000, estimate: 0, se: 0.02 },
          { information, estimate: 0.03, se: 0.012 },
        ],
        { ...options, plannedInformation: 10_000, isLastLookFinal: true },
      );
    for (const information of [7000, 10_000, 15_000]) {
      const monitor = at(information);
      if (monitor.status !== 'ok') throw new Error(monitor.status);
      expect(monitor.cumulativeAlpha.at(-1)).toBe(0.05);
      expect(monitor.criticalZ.at(-1)).toBeLessThan(2);
    }
  });

  it('passes over a look that adds nothing', () => {
    const look = { information: 5000, estimate: 0.1, se: 0.02 };
    const monitor = monitorGroupSequential([look, look, { ...look, information: 8000 }], {
      ...options,
      plannedInformation: 10_000,
      isLastLookFinal: false,
    });
    if (monitor.status !== 'ok') throw new Error(monitor.status);
    expect(monitor.reject).toEqual([true, false, true]);
    expect(monitor.criticalZ[1]).toBe(Number.POSITIVE_INFINITY);
    const direct = groupSequentialBoundary([0.5, 0.8], options);
    if (direct.status !== 'ok') throw new Error(direct.status);
    expect(monitor.criticalZ[2]).toBeCloseTo(direct.criticalZ[1] ?? 0, 12);
  });

  it('cannot reject after all is spent', () => {
    const boundary = groupSequentialBoundary([0.5, 1, 1.2], options);
    expect(boundary.status === 'ok' && boundary.criticalZ[2]).toBe(Number.POSITIVE_INFINITY);
  });
});
