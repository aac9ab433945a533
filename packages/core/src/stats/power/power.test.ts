import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { value } from '../../../test/stats/arbitraries.ts';
import {
  currentMde,
  experimentDuration,
  guardrailPower,
  meanMde,
  meanPower,
  meanSampleSize,
  multiArmSampleSize,
  nonInferioritySampleSize,
  proportionMde,
  proportionPower,
  proportionSampleSize,
  ratioSampleSize,
  sequenceSampleSize,
} from '../index.ts';

const errors = { alpha: 0.05, power: 0.8 };

describe('plans for rates', () => {
  it('have the power that they were made for', () => {
    fc.assert(
      fc.property(value(0.01, 0.9), value(0.02, 0.09), value(0.5, 0.95), (p, change, power) => {
        const plan = { pControl: p, pTreatment: p + change, alpha: 0.05, power };
        const size = proportionSampleSize(plan);
        if (size.status !== 'ok') return false;
        const back = proportionPower({ ...plan, nPerArm: size.nControlPooled });
        const mde = proportionMde({ ...plan, nControl: size.nControlPooled });
        if (back.status !== 'ok' || mde.status !== 'ok' || mde.mdeUp === null) return false;
        return Math.abs(back.power - power) < 1e-9 && Math.abs(mde.mdeUp - change) < 1e-9;
      }),
    );
  });

  it('find no effect where there is no room for one', () => {
    const mde = proportionMde({ ...errors, pControl: 1, nControl: 100 });
    expect(mde).toMatchObject({ mdeUp: null, mdeUpRelative: null });
    expect(mde.status === 'ok' && (mde.mdeDown ?? 0) > 0).toBe(true);
    expect(proportionMde({ ...errors, pControl: 0.5, nControl: 2 })).toMatchObject({
      mdeUp: null,
      mdeDown: null,
    });
  });
});

describe('plans for means', () => {
  it('have the power that they were made for', () => {
    fc.assert(
      fc.property(value(0.02, 2), value(0.5, 0.95), (effect, power) => {
        const plan = { mean: 1, sd: 1, relativeEffect: effect, alpha: 0.05, power };
        const size = meanSampleSize(plan);
        if (size.status !== 'ok' || size.nControlT === null) return false;
        if (size.nControlT < 2) return true;
        const back = meanPower({
          nPerArm: size.nControlT,
          standardizedEffect: effect,
          alpha: 0.05,
        });
        return back.status === 'ok' && Math.abs(back.power - power) < 1e-8;
      }),
      { numRuns: 30 },
    );
  });

  it('ask for fewer units with a covariate, by the square of its correlation', () => {
    const plan = { ...errors, mean: 10, sd: 5, relativeEffect: 0.02 };
    const [plain, cuped] = [
      meanSampleSize(plan),
      meanSampleSize({ ...plan, cupedCorrelation: 0.6 }),
    ];
    if (plain.status !== 'ok' || cuped.status !== 'ok') throw new Error('refused');
    expect(cuped.nControl / plain.nControl).toBeCloseTo(0.64, 12);
  });

  it('agree on the smallest effect with the present error', () => {
    const mde = meanMde({ ...errors, mean: 2, sd: 3, nControl: 500, nTreatment: 700 });
    const se = 3 * Math.sqrt(1 / 500 + 1 / 700);
    expect(mde.status === 'ok' && mde.mde).toBeCloseTo(currentMde(se, 0.05, 0.8), 12);
  });

  it('refuse a relative effect on nothing', () => {
    expect(meanSampleSize({ ...errors, mean: 0, sd: 1, relativeEffect: 0.1 })).toEqual({
      status: 'ZERO_BASELINE',
    });
  });
});

describe('other plans', () => {
  it('of two equal arms agree', () => {
    const multi = multiArmSampleSize({
      ...errors,
      weights: [1, 1],
      variance: 50,
      absoluteEffect: 0.2,
      bonferroni: true,
    });
    const sequence = sequenceSampleSize({
      ...errors,
      variance: 50,
      absoluteEffect: 0.2,
      tuningN: 5000,
    });
    const inferior = nonInferioritySampleSize({
      ...errors,
      variance: 50,
      margin: 0.1,
      trueDifference: 0.1,
      sided: 2,
    });
    if (multi.status !== 'ok' || sequence.status !== 'ok' || inferior.status !== 'ok') {
      throw new Error('refused');
    }
    expect(multi.totalN).toBeCloseTo(sequence.totalNFixedHorizon, 6);
    expect(2 * inferior.nControl).toBeCloseTo(multi.totalN, 6);
    const ratio = ratioSampleSize({
      ...errors,
      meanNumerator: 2,
      meanDenominator: 1,
      varNumerator: 50,
      varDenominator: 0,
      covariance: 0,
      relativeEffect: 0.1,
    });
    expect(ratio.status === 'ok' && 2 * ratio.nPerArm).toBeCloseTo(multi.totalN, 6);
  });

  it('of non-inferiority refuse a difference beyond the margin', () => {
    const plan = { ...errors, variance: 1, margin: 0.1, trueDifference: -0.1 };
    expect(nonInferioritySampleSize(plan)).toEqual({ status: 'INVALID_INPUT' });
  });

  it('of a sequence refuse a level that it has no boundary for, and more units than numbers', () => {
    const plan = { ...errors, variance: 50, absoluteEffect: 0.2, tuningN: 5000 };
    for (const bad of [{ alpha: 0.6, sided: 1 } as const, { absoluteEffect: 4e-153 }]) {
      expect(sequenceSampleSize({ ...plan, ...bad })).toEqual({ status: 'INVALID_INPUT' });
    }
    expect(sequenceSampleSize({ ...plan, alpha: 0.6 }).status).toBe('ok');
  });

  it('last whole weeks, and no day longer for rounding', () => {
    const plan = { totalN: 900, dailyUnits: 1000, trafficShare: 0.3 };
    expect(experimentDuration(plan)).toEqual({ status: 'ok', days: 3, daysWholeWeeks: 7 });
    expect(experimentDuration({ ...plan, totalN: 901, minimumDays: 10 })).toEqual({
      status: 'ok',
      days: 4,
      daysWholeWeeks: 14,
    });
    expect(guardrailPower(3, 0.8)).toMatchObject({ powerPerMetric: 0.95 });
  });
});
