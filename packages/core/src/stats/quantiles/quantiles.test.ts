import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { level, value } from '../../../test/stats/arbitraries.ts';
import {
  binomialCdf,
  orderStatisticRanks,
  quantileDifference,
  quantileError,
  sampleQuantile,
} from '../index.ts';

describe('quantiles', () => {
  it('interpolate as SQL does', () => {
    expect(sampleQuantile([1, 2, 4, 8], 0.5)).toBe(3);
    expect(sampleQuantile([1, 2, 4, 8], 0.25)).toBe(1.75);
    expect([sampleQuantile([5], 0.9), sampleQuantile([], 0.9)]).toEqual([5, null]);
    expect([sampleQuantile([1, 9], 0), sampleQuantile([1, 9], 1)]).toEqual([1, 9]);
  });

  it('lie between ranks with the coverage asked for', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3000 }), value(0.01, 0.99), level, (n, p, alpha) => {
        const ranks = orderStatisticRanks(n, p, alpha);
        if (ranks.status !== 'ok') return false;
        const { exactLower: l, exactUpper: u, exactCoverage } = ranks;
        return (
          exactCoverage >= 1 - alpha - 1e-12 &&
          binomialCdf(l - 1, n, p) <= alpha / 2 &&
          1 - binomialCdf(u - 1, n, p) <= alpha / 2 + 1e-12 &&
          ranks.normalLower >= 1 &&
          ranks.normalUpper <= n
        );
      }),
    );
  });

  const events = {
    p: 0.5,
    nEvents: 1000,
    nClusters: 1000,
    sumBelow: 500,
    sumEvents: 1000,
    sumBelowSquares: 500,
    sumEventsSquares: 1000,
    sumProduct: 500,
    quantileLower: 9,
    quantileUpper: 11,
    alpha: 0.05,
  };

  it('of one event for each unit have no design effect', () => {
    const error = quantileError(events);
    expect(error.status === 'ok' && error.designEffect).toBeCloseTo(1, 2);
  });

  it('are refused when too far out, or within ties', () => {
    expect(quantileError({ ...events, p: 0.999 })).toEqual({ status: 'INSUFFICIENT_UNITS' });
    expect(quantileError({ ...events, quantileUpper: 9 })).toEqual({ status: 'ZERO_VARIANCE' });
    expect(quantileError({ ...events, quantileUpper: 8 })).toEqual({ status: 'INVALID_INPUT' });
  });

  it('compare by z, with a lift by Fieller', () => {
    const test = quantileDifference({ estimate: 12, se: 0.3 }, { estimate: 10, se: 0.4 }, 0.05);
    if (test.status !== 'ok') throw new Error(test.status);
    expect(test.t).toBeCloseTo(4, 12);
    expect(test.lift?.lift).toBeCloseTo(0.2, 12);
    const base = quantileDifference({ estimate: 1, se: 1 }, { estimate: 0, se: 1 }, 0.05);
    expect(base).toMatchObject({ status: 'ok', lift: null });
    const flat = { estimate: 1, se: 0 };
    expect(quantileDifference(flat, flat, 0.05)).toEqual({ status: 'ZERO_VARIANCE', diff: 0 });
  });
});
