import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CONVERSION, GUARDRAIL, MEAN, METHODS, planned } from '../../test/plans.ts';
import { value } from '../../test/stats/arbitraries.ts';
import {
  meanMde,
  meanSampleSize,
  multiArmSampleSize,
  nonInferioritySampleSize,
  proportionMde,
  proportionSampleSize,
  ratioSampleSize,
  sequenceSampleSize,
} from '../stats/index.ts';
import { ratioBaseline } from './plan.ts';
import type { PlanInput } from './plan-types.ts';
import { plannedInflation } from './planned-boundary.ts';

/** Twelve weeks whose users are quarters of the needed ones: the fourth has exactly these. */
const atSize = (input: PlanInput) => planned({ ...input, recruitment: null }).curve[3];

function ok<T>(outcome: ({ readonly status: 'ok' } & T) | { readonly status: string }): T {
  if (outcome.status !== 'ok') throw new Error(outcome.status);
  return outcome as { readonly status: 'ok' } & T;
}

describe('a plan has the size that the vectors have', () => {
  it('for a rate (power.prop.n.001, power.prop.n.005)', () => {
    expect(planned(CONVERSION).usersPerArm).toEqual([14_751, 14_751]);
    const uneven: PlanInput = {
      ...CONVERSION,
      effect: { type: 'absolute', value: 0.02 },
      allocation: [80, 20],
    };
    expect(planned(uneven).usersPerArm).toEqual([9_412, 2_353]);
  });

  it('for a mean, and with CUPED (power.mean.n.001, power.mean.n.003)', () => {
    expect(planned(MEAN)).toMatchObject({ usersPerArm: [9_812, 9_812], effectRelative: 0.02 });
    const cuped: PlanInput = {
      ...MEAN,
      baseline: 3.2,
      deviation: 11,
      effect: { type: 'relative', value: 0.05 },
      power: 0.9,
      allocation: [2, 1],
      cupedCorrelation: 0.45,
    };
    expect(planned(cuped)).toMatchObject({
      usersPerArm: [118_822, 59_411],
      varianceMultiplier: 0.7975,
    });
  });

  it('for a ratio (power.ratio.n.001)', () => {
    const moments = {
      meanNumerator: 1.2,
      meanDenominator: 6,
      varNumerator: 2.1,
      varDenominator: 9,
      covariance: 2,
    };
    const { baseline, deviation } = ok(ratioBaseline(moments));
    const ratio = planned({
      ...MEAN,
      kind: 'ratio',
      baseline,
      deviation,
      effect: { type: 'relative', value: 0.03 },
    });
    expect(ratio.usersPerArm).toEqual([20_107, 20_107]);
    const size = ok(ratioSampleSize({ ...moments, alpha: 0.05, power: 0.8, relativeEffect: 0.03 }));
    expect(ratio.totalUsers).toBe(2 * size.nPerArmCeil);
    expect(ratioBaseline({ ...moments, meanDenominator: 0 }).status).toBe('ZERO_DENOMINATOR');
  });

  it('for several treatments (power.multiarm.001)', () => {
    const three = planned({ ...MEAN, allocation: [1, 1, 1] });
    expect(three.alphaPerComparison).toBe(0.025);
    expect(three.usersPerArm).toEqual([11_882, 11_882, 11_882]);
    expect(three.optimalControlShare).toBeCloseTo(0.4142135624, 10);
    expect(planned({ ...MEAN, goals: 2 }).alphaPerComparison).toBe(0.025);
  });

  it('for a guardrail (power.ni.n.001, power.ni.n.003)', () => {
    expect(planned(GUARDRAIL)).toMatchObject({ usersPerArm: [3_435, 3_435], sided: 1 });
    const helpful: PlanInput = {
      ...GUARDRAIL,
      baseline: 1,
      deviation: 0.3,
      margin: 0.01,
      effect: { type: 'absolute', value: 0.002 },
      allocation: [2, 1],
    };
    const size = ok(
      nonInferioritySampleSize({
        variance: 0.09,
        margin: 0.01,
        trueDifference: 0.002,
        alpha: 0.05,
        power: 0.8,
        allocationRatio: 0.5,
      }),
    );
    expect(size.nControlCeil).toBe(11_593);
    expect(planned(helpful).usersPerArm[0]).toBe(size.nControlCeil);
    expect(planned({ ...GUARDRAIL, guardrails: 5, power: 0.9 }).powerPerMetric).toBeCloseTo(
      0.9833333333,
      10,
    );
  });

  it('for looks up to a plan, and without one (power.sequential.001)', () => {
    const looked = planned({ ...MEAN, method: 'sequential' });
    expect(looked.design).toBe('group_sequential');
    expect(looked.inflation).toBeCloseTo(plannedInflation(0.05, 2, 0.8), 12);
    const watched = planned({
      ...MEAN,
      deviation: Math.sqrt(50),
      method: 'sequential',
      isPlanned: false,
    });
    expect(watched.design).toBe('confidence_sequence');
    expect(watched.inflation).toBeCloseTo(2.202977359, 8);
    expect(watched.usersPerArm).toEqual([43_228, 43_228]);
  });
});

describe('a plan agrees with the functions it is made of', () => {
  const sizes = { baseline: value(0.02, 0.6), change: value(0.02, 0.3), control: value(0.2, 0.8) };

  it('on rates of arms of different size', () => {
    fc.assert(
      fc.property(fc.record(sizes), ({ baseline, change, control }) => {
        const { usersPerArm, curve } = planned({
          ...CONVERSION,
          baseline,
          effect: { type: 'absolute', value: change },
          allocation: [control, 1 - control],
        });
        const errors = { alpha: 0.05, power: 0.8, allocationRatio: (1 - control) / control };
        const size = ok(
          proportionSampleSize({ ...errors, pControl: baseline, pTreatment: baseline + change }),
        );
        expect(usersPerArm[0]).toBe(size.nControlCeil);
        const [, , , point] = curve;
        const nControl = (point?.users ?? 0) * control;
        const mde = ok(proportionMde({ ...errors, pControl: baseline, nControl }));
        expect(point?.absolute).toBeCloseTo(mde.mdeUp ?? Number.NaN, 9);
      }),
      { numRuns: 50 },
    );
  });

  it('on means with a covariate', () => {
    fc.assert(
      fc.property(value(0, 0.95), value(0.1, 0.9), (cupedCorrelation, control) => {
        const { usersPerArm, curve } = planned({
          ...MEAN,
          cupedCorrelation,
          allocation: [control, 1 - control],
        });
        const metric = { mean: 10, sd: 5, alpha: 0.05, power: 0.8, cupedCorrelation };
        const allocationRatio = (1 - control) / control;
        const size = ok(meanSampleSize({ ...metric, relativeEffect: 0.02, allocationRatio }));
        expect(Math.abs((usersPerArm[0] ?? 0) - size.nControl)).toBeLessThan(1 + 1e-6);
        const users = curve[7]?.users ?? 0;
        const arms = { nControl: users * control, nTreatment: users * (1 - control) };
        expect(curve[7]?.absolute).toBeCloseTo(ok(meanMde({ ...metric, ...arms })).mde, 9);
      }),
      { numRuns: 50 },
    );
  });

  it('on boundaries, two-sided for goals and one-sided for guardrails', () => {
    const errors = { alpha: 0.05, power: 0.8 };
    for (const [input, sided] of [
      [MEAN, 2],
      [GUARDRAIL, 1],
    ] as const) {
      expect(planned({ ...input, method: 'sequential' }).inflation).toBeCloseTo(
        plannedInflation(0.05, sided, 0.8),
        9,
      );
      const watched = planned({ ...input, method: 'sequential', isPlanned: false });
      const absoluteEffect = sided === 2 ? 0.2 : 0.3;
      const size = ok(
        sequenceSampleSize({ ...errors, sided, variance: 25, absoluteEffect, tuningN: 5_000 }),
      );
      expect(Math.abs(watched.totalUsers - size.totalN)).toBeLessThanOrEqual(2);
    }
  });

  it('on the smallest treatment of several', () => {
    const weights = [0.8, 0.1, 0.1];
    const size = ok(
      multiArmSampleSize({
        weights,
        variance: 25,
        absoluteEffect: 0.2,
        alpha: 0.05,
        power: 0.8,
        bonferroni: true,
      }),
    );
    const { usersPerArm } = planned({ ...MEAN, allocation: weights });
    expect(usersPerArm).toEqual(size.nPerArm.map(Math.ceil));
    expect(planned({ ...MEAN, allocation: [80, 15, 5] }).totalUsers).toBeGreaterThan(size.totalN);
  });
});

const KINDS: Readonly<Record<string, PlanInput>> = {
  rate: CONVERSION,
  'a falling rate': { ...CONVERSION, effect: { type: 'relative', value: -0.1 } },
  'a rate near 1': { ...CONVERSION, baseline: 0.97, effect: { type: 'absolute', value: 0.01 } },
  'a rate with CUPED': { ...CONVERSION, cupedCorrelation: 0.5, allocation: [3, 1] },
  mean: MEAN,
  'a mean below zero': { ...MEAN, baseline: -10, effect: { type: 'relative', value: -0.02 } },
  quantile: { ...MEAN, kind: 'quantile', baseline: 800, deviation: 2_000 },
  guardrail: GUARDRAIL,
  'a guardrail that is a rate': {
    ...CONVERSION,
    margin: 0.05,
    effect: { type: 'absolute', value: 0 },
  },
};
describe.each(Object.keys(KINDS))('%s', (kind) => {
  describe.each(Object.keys(METHODS))('%s', (method) => {
    const input = { ...CONVERSION, ...KINDS[kind], ...METHODS[method] };

    it('finds at its own size the effect that it was made for', () => {
      const wanted =
        input.margin === null ? planned(input).effectAbsolute : input.margin * input.baseline;
      const found = atSize(input)?.absolute ?? Number.NaN;
      // Whole users are fewer by less than one.
      expect(found / wanted).toBeGreaterThanOrEqual(1 - 1e-9);
      expect(found / wanted).toBeLessThan(1 + 1e-3);
    });

    it('finds ever smaller effects with more users', () => {
      const sizes = planned(input).curve.flatMap(({ absolute }) =>
        absolute === null ? [] : [Math.abs(absolute)],
      );
      expect(sizes.length).toBeGreaterThan(8);
      expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
    });

    it('needs more users for more power, a stricter level and smaller effects', () => {
      const { totalUsers } = planned(input);
      const more = (change: Partial<PlanInput>) =>
        expect(planned({ ...input, ...change }).totalUsers).toBeGreaterThan(totalUsers);
      more({ power: 0.9 });
      more({ alpha: 0.01 });
      more({ guardrails: 3 });
      more({ allocation: [1, 9] });
      more({ allocation: [1, 1, 1] });
      if (input.margin === null) {
        more({ effect: { ...input.effect, value: input.effect.value / 2 } });
      } else more({ margin: input.margin / 2 });
    });
  });

  it('needs the fewest users when it is looked at once', () => {
    const input = KINDS[kind] ?? CONVERSION;
    const [fixed = 0, bayesian = 0, looked = 0, watched = 0] = Object.values(METHODS).map(
      (method) => planned({ ...input, ...method }).totalUsers,
    );
    expect(bayesian).toBe(fixed);
    expect(looked).toBeGreaterThan(fixed);
    expect(watched).toBeGreaterThan(looked);
  });
});

describe('a plan in time', () => {
  it('lasts whole weeks of the daily users (power.duration.001)', () => {
    const recruitment = { observed: [], daily: 2_500, share: 1 };
    const { runningTime, curve } = planned({ ...CONVERSION, recruitment });
    expect(runningTime).toEqual({ days: 12, daysWholeWeeks: 14 });
    expect(curve.map(({ days, users }) => [days, users]).slice(0, 2)).toEqual([
      [7, 17_500],
      [14, 35_000],
    ]);
    const half = planned({ ...CONVERSION, recruitment: { ...recruitment, share: 0.5 } });
    expect(half.runningTime).toEqual({ days: 24, daysWholeWeeks: 28 });
  });

  it('follows the observed curve, and goes on at its last pace', () => {
    const observed = [10_000, 16_000, 20_000, 22_000, 23_000, 23_500, 24_000];
    const recruitment = { observed, daily: 500, share: 1 };
    const { runningTime, curve } = planned({ ...CONVERSION, recruitment });
    expect(runningTime).toEqual({ days: 7 + 12, daysWholeWeeks: 21 });
    expect(curve[1]?.users).toBe(24_000 + 3_500);
    expect(planned({ ...MEAN, recruitment }).runningTime).toEqual({ days: 3, daysWholeWeeks: 7 });
    const ended = planned({ ...CONVERSION, recruitment: { observed, daily: 0, share: 1 } });
    expect(ended.runningTime).toBeNull();
    const slow = planned({ ...CONVERSION, recruitment: { observed, daily: 1e-300, share: 1 } });
    expect(slow.runningTime).toBeNull();
    expect(ended.curve[11]).toMatchObject({ users: 24_000 });
  });

  it('has no effect to show where none is large enough', () => {
    const recruitment = { observed: [], daily: 1, share: 1 };
    const { curve } = planned({
      ...CONVERSION,
      baseline: 0.9,
      effect: { type: 'absolute', value: 0.05 },
      recruitment,
    });
    expect(curve[0]).toEqual({ days: 7, users: 7, absolute: null, relative: null });
    expect(curve[11]?.absolute).toBeNull();
    const none = planned({ ...MEAN, recruitment: { ...recruitment, daily: 0 } });
    expect(none.curve[0]).toEqual({ days: 7, users: 0, absolute: null, relative: null });
  });
});

describe('a plan says what is doubtful', () => {
  it('with few users, rare outcomes, or a method without error control', () => {
    expect(planned({ ...MEAN, deviation: 0.1 }).cautions).toEqual(['small_sample']);
    const rare: PlanInput = {
      ...CONVERSION,
      baseline: 1e-4,
      effect: { type: 'relative', value: 3 },
    };
    expect(planned(rare).cautions).toEqual(['rare_outcomes']);
    expect(planned({ ...MEAN, method: 'bayesian' }).cautions).toEqual(['as_fixed']);
    const nobody = { observed: [], daily: 0, share: 1 };
    expect(planned({ ...MEAN, recruitment: nobody }).cautions).toEqual(['never_reached']);
  });

  it('and works from a rate of 0 with an absolute effect', () => {
    const none: PlanInput = {
      ...CONVERSION,
      baseline: 0,
      effect: { type: 'absolute', value: 0.01 },
    };
    for (const method of Object.values(METHODS)) {
      expect(planned({ ...none, ...method })).toMatchObject({ effectRelative: null });
      expect(atSize({ ...none, ...method })).toMatchObject({ relative: null });
      expect(atSize({ ...none, ...method })?.absolute).toBeCloseTo(0.01, 4);
    }
  });
});
