import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { proportion, value } from '../../../test/stats/arbitraries.ts';
import {
  bayesNormal,
  betaBinomial,
  betaCredibleInterval,
  normalCdf,
  probBestBeta,
  probBestNormal,
  scalePrior,
} from '../index.ts';

describe('two rates', () => {
  it('win or lose, and lose what their means differ by', () => {
    fc.assert(
      fc.property(proportion, proportion, (t, c) => {
        const result = betaBinomial(t, c);
        if (result.status !== 'ok') return false;
        const chances = result.probTreatmentBeatsControl + result.probControlBeatsTreatment;
        const losses = result.expectedLossChooseControl - result.expectedLossChooseTreatment;
        const means = result.posteriorMeanTreatment - result.posteriorMeanControl;
        return Math.abs(chances - 1) < 1e-10 && Math.abs(losses - means) < 1e-11;
      }),
      { numRuns: 40 },
    );
  });

  it('agree with the closed form for whole parameters', () => {
    // Miller 2015: T ~ Beta(3, 9) against C ~ Beta(2, 11).
    const beta = (a: number, b: number): number => {
      let value = 1 / a;
      for (let i = 1; i < b; i++) value *= i / (a + i);
      return value;
    };
    let expected = 0;
    for (let i = 0; i < 3; i++) {
      expected += beta(2 + i, 11 + 9) / ((9 + i) * beta(1 + i, 9) * beta(2, 11));
    }
    const result = betaBinomial({ x: 2, n: 10 }, { x: 1, n: 11 });
    expect(result.status === 'ok' && result.probTreatmentBeatsControl).toBeCloseTo(expected, 12);
  });

  it('of very different size, or with a small prior, keep their digits', () => {
    const result = betaBinomial({ x: 300_000_000, n: 1_000_000_000 }, { x: 3, n: 10 });
    if (result.status !== 'ok') throw new Error(result.status);
    const { probTreatmentBeatsControl: win, probControlBeatsTreatment: lose } = result;
    expect(win + lose).toBeCloseTo(1, 9);
    const sparse = betaBinomial({ x: 0, n: 5 }, { x: 0, n: 7 }, { alpha: 0.5, beta: 0.5 });
    if (sparse.status !== 'ok') throw new Error(sparse.status);
    const chances = sparse.probTreatmentBeatsControl + sparse.probControlBeatsTreatment;
    expect(chances).toBeCloseTo(1, 9);
  });

  it('have credible intervals about zero exactly when the chances say so', () => {
    fc.assert(
      fc.property(proportion, proportion, (t, c) => {
        const chances = betaBinomial(t, c);
        const interval = betaCredibleInterval(t, c);
        if (chances.status !== 'ok' || interval.status !== 'ok') return false;
        const { probTreatmentBeatsControl: win } = chances;
        if (Math.min(Math.abs(win - 0.975), Math.abs(win - 0.5)) < 1e-6) return true;
        const { diffLower, diffMedian, diffUpper, liftLower, liftMedian, liftUpper } = interval;
        return (
          diffLower < diffMedian &&
          diffMedian < diffUpper &&
          win > 0.975 === diffLower > 0 &&
          win > 0.975 === liftLower > 0 &&
          win > 0.5 === diffMedian > 0 &&
          win > 0.5 === liftMedian > 0 &&
          liftUpper > liftMedian
        );
      }),
      { numRuns: 12 },
    );
  }, 30_000);
});

describe('a normal effect', () => {
  it('with a flat prior wins with one minus the one-sided p-value', () => {
    const result = bayesNormal(0.2, 0.1, { prior: null });
    expect(result.status === 'ok' && result.chanceToWin).toBe(normalCdf(2));
  });

  it('loses what it is expected to gain otherwise', () => {
    fc.assert(
      fc.property(value(-1, 1), value(0.01, 1), fc.boolean(), (estimate, se, inverse) => {
        const prior = { mean: 0, variance: 0.09 };
        const result = bayesNormal(estimate, se, { prior, inverse });
        if (result.status !== 'ok') return false;
        const gain = result.expectedLossChooseControl - result.expectedLossChooseTreatment;
        const mean = inverse ? -result.posteriorMean : result.posteriorMean;
        return Math.abs(gain - mean) < 1e-12 && result.posteriorSd < se;
      }),
    );
  });

  it('takes a prior on the lift to the scale of the control', () => {
    const scaled = scalePrior({ mean: 0.1, variance: 0.09 }, -20);
    expect(scaled.mean).toBe(2);
    expect(scaled.variance).toBeCloseTo(36, 12);
  });
});

describe('several arms', () => {
  it('share the first place', () => {
    const arms = fc.array(fc.tuple(value(-2, 2), value(0.1, 2)), { minLength: 2, maxLength: 5 });
    fc.assert(
      fc.property(arms, (list) => {
        const result = probBestNormal(
          list.map(([mean]) => mean),
          list.map(([, sd]) => sd),
        );
        if (result.status !== 'ok') return false;
        const total = result.probBest.reduce((sum, p) => sum + p, 0);
        // E[max] is the same whichever arm it is compared with.
        const best = list.map(([mean], i) => mean + (result.expectedLoss[i] ?? 0));
        return Math.abs(total - 1) < 1e-10 && Math.max(...best) - Math.min(...best) < 1e-9;
      }),
      { numRuns: 30 },
    );
  });

  it('that are two compare as two do', () => {
    const [a, b] = [
      { x: 12, n: 100 },
      { x: 20, n: 110 },
    ];
    const [two, many] = [betaBinomial(a, b), probBestBeta([a, b])];
    if (two.status !== 'ok' || many.status !== 'ok') throw new Error('refused');
    expect(many.probBest[0]).toBeCloseTo(two.probTreatmentBeatsControl, 12);
    expect(many.expectedLoss[0]).toBeCloseTo(two.expectedLossChooseTreatment, 13);
  });

  it('that are equal have equal chances', () => {
    const result = probBestNormal([1, 1, 1, 1], [2, 2, 2, 2]);
    if (result.status !== 'ok') throw new Error(result.status);
    for (const p of result.probBest) expect(p).toBeCloseTo(0.25, 12);
  });

  it('of which one is known exactly, nearly, are no trap for the quadrature', () => {
    const result = probBestNormal([0, 0.3, 0.1], [1, 1e-7, 1e-3]);
    if (result.status !== 'ok') throw new Error(result.status);
    expect(result.probBest.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 10);
    expect(result.probBest[0]).toBeCloseTo(1 - normalCdf(0.3), 9);
  });

  it.each([
    // Arms without a hope, and steps far from any other arm.
    [
      [-1.3, 0.9, -9.5],
      [0.027, 0.006, 0.005],
    ],
    [
      [1.1, -21.5, -1.1, 8.6, 1.25],
      [8.1, 3.4, 0.2, 0.005, 0.0016],
    ],
  ])('lose what their means differ by, however unlike they are: %j, %j', (means, sds) => {
    const result = probBestNormal(means, sds);
    if (result.status !== 'ok') throw new Error(result.status);
    expect(result.probBest.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 12);
    const [first = Number.NaN] = result.expectedLoss;
    for (const [i, mean] of means.entries()) {
      const loss = result.expectedLoss[i] ?? Number.NaN;
      expect((mean + loss) / ((means[0] ?? 0) + first)).toBeCloseTo(1, 12);
    }
  });

  it('of which none succeeded or all did have no chance, or every one', () => {
    const [none, all] = [
      { x: 0, n: 1_000_000_000 },
      { x: 100_000_000, n: 100_000_000 },
    ];
    expect(betaBinomial(none, all)).toMatchObject({
      probTreatmentBeatsControl: 0,
      expectedLossChooseControl: 0,
    });
    const many = probBestBeta([none, all, { x: 1, n: 2 }]);
    expect(many).toMatchObject({
      status: 'ok',
      probBest: [0, expect.closeTo(1, 7), expect.closeTo(0, 7)],
    });
  });
});
