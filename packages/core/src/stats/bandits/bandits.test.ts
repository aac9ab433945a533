import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sample, value } from '../../../test/stats/arbitraries.ts';
import {
  applyFloor,
  epsilonGreedyWeights,
  ipwMean,
  periodStratifiedDifference,
  topTwoWeights,
  welchDifference,
} from '../index.ts';

const shares = fc
  .array(fc.integer({ min: 0, max: 1000 }), { minLength: 2, maxLength: 8 })
  .filter((counts) => counts.some((count) => count > 0))
  .map((counts) => {
    const total = counts.reduce((sum, count) => sum + count, 0);
    return counts.map((count) => count / total);
  });
const sumOf = (weights: readonly number[]): number => weights.reduce((sum, w) => sum + w, 0);

describe('weights', () => {
  it('add up to one', () => {
    fc.assert(
      fc.property(shares, value(0, 1), (probBest, share) => {
        const outcomes = [topTwoWeights(probBest, share), applyFloor(probBest, share)];
        return outcomes.every(
          (outcome) => outcome.status === 'ok' && Math.abs(sumOf(outcome.weights) - 1) < 1e-12,
        );
      }),
    );
  });

  it('by the top two are those of the one and the other draw', () => {
    // The leader is arm i, or it is j ≠ i and i is the best of the others.
    const [a, b, c] = [0.5, 0.3, 0.2];
    const second = (b * a) / (1 - b) + (c * a) / (1 - c);
    const top = topTwoWeights([a, b, c], 0.6);
    if (top.status !== 'ok') throw new Error(top.status);
    expect(top.weights[0]).toBeCloseTo(0.6 * a + 0.4 * second, 14);
    expect(topTwoWeights([a, b, c], 1)).toEqual({ status: 'ok', weights: [a, b, c] });
  });

  it('by the top two tell challengers apart beside an arm that is all but certain', () => {
    const top = topTwoWeights([1, 3e-200, 1e-200]);
    if (top.status !== 'ok') throw new Error(top.status);
    expect(top.weights[0]).toBeCloseTo(0.5, 14);
    expect(top.weights[1]).toBeCloseTo(0.375, 14);
    expect(topTwoWeights([0, 1, 0])).toEqual({ status: 'ok', weights: [0.25, 0.5, 0.25] });
  });

  it('keep their floor, and are equal where the floors take all', () => {
    fc.assert(
      fc.property(shares, value(0, 0.2), (weights, floor) => {
        const outcome = applyFloor(weights, floor);
        if (outcome.status !== 'ok') return false;
        const least = Math.min(floor, 1 / weights.length);
        return outcome.weights.every((weight) => weight >= least - 1e-15);
      }),
    );
    expect(applyFloor([1, 0], 0.5)).toEqual({ status: 'ok', weights: [0.5, 0.5] });
  });

  it('of the greedy go to all that are best', () => {
    const outcome = epsilonGreedyWeights([2, 1, 2, 0], 0.2);
    if (outcome.status !== 'ok') throw new Error(outcome.status);
    for (const [arm, weight] of [0.45, 0.05, 0.45, 0.05].entries()) {
      expect(outcome.weights[arm]).toBeCloseTo(weight, 15);
    }
  });

  it('are refused for what are no shares', () => {
    const invalid = [
      topTwoWeights([1]),
      topTwoWeights([0.5, 0.6]),
      topTwoWeights([1.5, -0.5]),
      topTwoWeights([0.5, 0.5], 1.1),
      applyFloor([0.5, Number.NaN], 0.1),
      applyFloor([0.5, 0.5], -0.1),
      epsilonGreedyWeights([1], 0.1),
      epsilonGreedyWeights([1, Number.POSITIVE_INFINITY], 0.1),
      epsilonGreedyWeights([1, 2], 2),
    ];
    expect(invalid.map(({ status }) => status)).toEqual(invalid.map(() => 'INVALID_INPUT'));
  });
});

describe('a comparison within periods', () => {
  const arm = (n: number, mean: number, variance = 1) => ({ n, mean, variance });

  it('of one period is the plain one', () => {
    fc.assert(
      fc.property(sample, sample, (treatment, control) => {
        const one = periodStratifiedDifference([{ treatment, control }], 0.05);
        const plain = welchDifference(treatment, control, 0.05);
        if (one.status !== 'ok' || plain.status !== 'ok') return false;
        return Math.abs(one.diff - plain.diff) < 1e-12 && Math.abs(one.se / plain.se - 1) < 1e-12;
      }),
    );
  });

  it('does not take a trend for an effect, as pooled means do', () => {
    // The metric falls while the treatment's share grows.
    const periods = [
      { treatment: arm(100, 3), control: arm(900, 3) },
      { treatment: arm(900, 1), control: arm(100, 1) },
    ];
    const outcome = periodStratifiedDifference(periods, 0.05);
    expect(outcome).toMatchObject({ status: 'ok', diff: 0, bolsZ: 0, bolsPValue: 1 });
  });

  it('merges a period that lacks an arm with the next, and the last with the one before', () => {
    const [short, long] = [
      { treatment: arm(1, 5, 0), control: arm(50, 1) },
      { treatment: arm(50, 2), control: arm(50, 1) },
    ];
    const uses = (periods: readonly (typeof long)[]) => periodStratifiedDifference(periods, 0.05);
    expect(uses([short, long, long])).toMatchObject({ status: 'ok', periodsUsed: 2 });
    expect(uses([long, long, short])).toMatchObject({ status: 'ok', periodsUsed: 2 });
    expect(uses([short, { ...short, treatment: arm(1, 5) }])).toMatchObject({
      status: 'ok',
      periodsUsed: 1,
    });
    expect(uses([short])).toEqual({ status: 'INSUFFICIENT_UNITS' });
  });

  it('has no test by least squares where a period did not vary, and no interval where none did', () => {
    const flat = { treatment: arm(50, 0, 0), control: arm(50, 0, 0) };
    const long = { treatment: arm(50, 2), control: arm(50, 1) };
    expect(periodStratifiedDifference([flat, long], 0.05)).toMatchObject({
      status: 'ok',
      diff: 0.5,
      bolsZ: null,
      bolsPValue: null,
    });
    expect(periodStratifiedDifference([flat], 0.05)).toEqual({ status: 'ZERO_VARIANCE', diff: 0 });
  });
});

describe('the mean by inverse propensities', () => {
  it('with all units in the arm is their mean', () => {
    const all = { units: 4, propensity: 1, sumReward: 10, sumRewardSquares: 30 };
    expect(ipwMean([all])).toEqual({ status: 'ok', mean: 2.5, se: Math.sqrt(5 / 3 / 4) });
  });

  it('does not depend on how often the share changed', () => {
    // The same rewards, seen at half the rate in the second period.
    const half = { units: 1000, propensity: 0.5, sumReward: 50, sumRewardSquares: 50 };
    const quarter = { units: 1000, propensity: 0.25, sumReward: 25, sumRewardSquares: 25 };
    const outcome = ipwMean([half, quarter]);
    expect(outcome.status === 'ok' && outcome.mean).toBeCloseTo(0.1, 15);
  });

  it('is refused without units, and keeps the mean without variance', () => {
    const none = { units: 9, propensity: 0.5, sumReward: 0, sumRewardSquares: 0 };
    expect(ipwMean([none])).toEqual({ status: 'ZERO_VARIANCE', mean: 0 });
    expect(ipwMean([{ ...none, units: 1 }])).toEqual({ status: 'INSUFFICIENT_UNITS', mean: 0 });
    expect(ipwMean([])).toEqual({ status: 'NO_UNITS' });
    for (const bad of [{ units: 1.5 }, { propensity: 0 }, { sumReward: Number.NaN }]) {
      expect(ipwMean([{ ...none, ...bad }])).toEqual({ status: 'INVALID_INPUT' });
    }
  });

  it('is refused for scores beyond all numbers and sums that no rewards have', () => {
    const batch = { units: 400, propensity: 0.5, sumReward: 100, sumRewardSquares: 100 };
    expect(ipwMean([batch])).toMatchObject({ status: 'ok', mean: 0.5 });
    for (const bad of [
      { propensity: 1e-200 },
      { sumReward: 1e200, sumRewardSquares: 1e308, propensity: 1e-10 },
      { sumRewardSquares: 0 },
      { units: 99 },
      { units: 0 },
    ]) {
      expect(ipwMean([{ ...batch, ...bad }])).toEqual({ status: 'INVALID_INPUT' });
    }
  });

  it('does not take rounding for a variance', () => {
    const rewards = [0.1, 0.1, 0.1, 0.1, 0.1, 0.1];
    const batch = {
      units: 6,
      propensity: 1,
      sumReward: rewards.reduce((sum, reward) => sum + reward, 0),
      sumRewardSquares: rewards.reduce((sum, reward) => sum + reward * reward, 0),
    };
    expect(ipwMean([batch])).toMatchObject({ status: 'ZERO_VARIANCE' });
  });

  it('needs centred sums where the mean is far beyond the deviation', () => {
    const [n, mean] = [1e6, 1e9];
    const all = { units: n, propensity: 1 };
    const far = { ...all, sumReward: n * mean, sumRewardSquares: n * (mean * mean + 1) };
    expect(ipwMean([far])).toEqual({ status: 'ZERO_VARIANCE', mean });
    const centred = ipwMean([{ ...all, sumReward: 0, sumRewardSquares: n }]);
    expect(centred.status === 'ok' && centred.se).toBeCloseTo(0.001, 8);
  });
});
