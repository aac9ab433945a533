import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { level, value } from '../../test/stats/arbitraries.ts';
import { randomStream } from '../../test/stats/random.ts';
import { groupSequentialBoundary, normalIsf, normalSf } from '../stats/index.ts';
import { crossings } from '../stats/sequential/group-sequential-design.ts';
import {
  plannedCritical,
  plannedInflation,
  plannedPower,
  plannedPValue,
} from './planned-boundary.ts';

const look = fc.record({ fraction: value(0.001, 1), isEnd: fc.boolean() });
const sided = fc.constantFrom(1 as const, 2 as const);

describe('the boundary of a plan', () => {
  it('is what the recursion gives for ever finer looks that spend one half', () => {
    const gap = (looks: number): number => {
      const fractions = Array.from({ length: looks }, (_, k) => (k + 1) / looks);
      const boundary = groupSequentialBoundary(fractions, {
        alpha: 0.025,
        sided: 2,
        spending: { type: 'obrienFleming' },
      });
      if (boundary.status !== 'ok') throw new Error(boundary.status);
      const half = looks / 2 - 1;
      const here = plannedCritical(0.05, 2, { fraction: 0.5, isEnd: false });
      return here - (boundary.criticalZ[half] ?? 0);
    };
    const [coarse, fine] = [gap(16), gap(64)];
    // Siegmund 1985: a discrete boundary lies below that of every moment by a multiple of 1/√looks.
    expect(fine).toBeGreaterThan(0);
    expect(coarse / fine).toBeCloseTo(2, 0);
    expect(fine).toBeLessThan(0.1);
  });

  it('costs the end next to nothing', () => {
    expect(plannedCritical(0.05, 2, { fraction: 1, isEnd: true })).toBeCloseTo(1.9823, 3);
    expect(plannedCritical(0.05, 2, { fraction: 0.01, isEnd: true })).toBeCloseTo(
      normalIsf(0.025),
      12,
    );
  });

  it('has the power that the recursion gives for ever finer looks', () => {
    const drift = normalIsf(0.025) + normalIsf(0.2);
    const limit = plannedPower(0.05, 2, drift);
    const gap = (looks: number): number => {
      const fractions = Array.from({ length: looks }, (_, k) => (k + 1) / looks);
      const criticals = fractions.map((fraction, k) =>
        plannedCritical(0.05, 2, { fraction, isEnd: k === looks - 1 }),
      );
      const found = crossings(fractions, criticals, drift, true);
      return limit - found.reduce((sum, { upper }) => sum + upper, 0);
    };
    const [coarse, fine] = [gap(16), gap(64)];
    expect(fine).toBeGreaterThan(0);
    expect(fine).toBeLessThan(0.002);
    expect(coarse / fine).toBeGreaterThan(1.5);
  });

  it('finds what is not there as often as it may', () => {
    fc.assert(
      fc.property(value(1e-6, 0.5), sided, (alpha, sides) => {
        expect(plannedPower(alpha, sides, 0) / (alpha / sides)).toBeCloseTo(1, 9);
      }),
    );
  });

  it('takes about one per cent more users than a test that is read once', () => {
    expect(plannedInflation(0.05, 2, 0.8)).toBeGreaterThan(1.005);
    expect(plannedInflation(0.05, 2, 0.8)).toBeLessThan(1.015);
    fc.assert(
      fc.property(value(1e-6, 0.4), sided, value(0.5, 0.999), (alpha, sides, power) => {
        const inflation = plannedInflation(alpha, sides, power);
        const fixed = normalIsf(alpha / sides) + normalIsf(1 - power);
        expect(inflation).toBeGreaterThanOrEqual(1);
        expect(plannedPower(alpha, sides, fixed * Math.sqrt(inflation))).toBeCloseTo(power, 9);
      }),
    );
  });

  it('has p-values below alpha exactly beyond it', () => {
    fc.assert(
      fc.property(level, sided, look, value(0.5, 2), (alpha, sides, at, factor) => {
        const z = factor * plannedCritical(alpha, sides, at);
        const p = plannedPValue(z, sides, at);
        return Math.abs(factor - 1) < 1e-9 || p < alpha === factor > 1;
      }),
    );
  });

  it('has p-values that fall with the distance, between one look and the running boundary', () => {
    fc.assert(
      fc.property(sided, look, value(-6, 6), value(0.01, 3), (sides, at, z, step) => {
        const [p, further] = [z, z + step].map((x) => plannedPValue(x, sides, at));
        const once = sides * normalSf(sides === 2 ? Math.abs(z) : z);
        const isOrdered = sides === 2 && z < 0 ? true : (further ?? 2) <= (p ?? 0) + 1e-12;
        return isOrdered && (p ?? 2) <= 1 && (p ?? 0) >= Math.min(1, once) - 1e-12;
      }),
    );
  });

  it('holds at two hundred looks and at few, one side and both', () => {
    const random = randomStream(41);
    const simulations = 4000;
    for (const looks of [200, 20, 3]) {
      const step = 1 / looks;
      let [two, one] = [0, 0];
      for (let i = 0; i < simulations; i++) {
        let motion = 0;
        let [isTwo, isOne] = [false, false];
        for (let k = 1; k <= looks; k++) {
          motion += Math.sqrt(step) * random.normal();
          const at = { fraction: Math.min(1, k * step), isEnd: k === looks };
          const z = motion / Math.sqrt(at.fraction);
          isTwo ||= Math.abs(z) > plannedCritical(0.05, 2, at);
          isOne ||= z > plannedCritical(0.05, 1, at);
        }
        if (isTwo) two++;
        if (isOne) one++;
      }
      // 5 % and three standard errors of the simulation.
      expect(two / simulations).toBeLessThan(0.05 + 3 * Math.sqrt((0.05 * 0.95) / simulations));
      expect(one / simulations).toBeLessThan(0.05 + 3 * Math.sqrt((0.05 * 0.95) / simulations));
      // And most of the error is put to use.
      expect(two / simulations).toBeGreaterThan(0.03);
    }
  });
});
