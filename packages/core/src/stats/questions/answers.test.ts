import { describe, expect, it } from 'vitest';
import { swapArms } from '../../../test/stats/claims.ts';
import { TESTS } from '../index.ts';

// What is the same for all tests is in questions.test.ts.

describe('a test', () => {
  it('exports the questions that make sense for it, and nothing else', () => {
    const names = new Set(Object.values(TESTS).flatMap((questions) => Object.keys(questions)));
    expect([...names].sort()).toEqual([
      'estimate',
      'interval',
      'pValue',
      'power',
      'sampleSize',
      'standardError',
    ]);
  });

  it('keeps an estimate that has no variance or a single unit', () => {
    const flat = { n: 9, mean: 3, variance: 0 };
    const arms = { treatment: flat, control: { ...flat, n: 1, mean: 2 } };
    const welch = TESTS['mean.welch'];
    expect(welch.estimate(arms)).toEqual({ status: 'ok', value: 1 });
    expect(welch.pValue(arms)).toEqual({ status: 'INSUFFICIENT_UNITS' });
    expect(TESTS['mean.lift.fieller'].estimate(arms)).toEqual({ status: 'ok', value: 0.5 });
    expect(TESTS['mean.oneArm'].estimate(flat)).toEqual({ status: 'ok', value: 3 });
    expect(TESTS['mean.oneArm'].interval(flat, 0.05)).toEqual({ status: 'ZERO_VARIANCE' });
    const all = { treatment: { x: 5, n: 5 }, control: { x: 3, n: 3 } };
    expect(TESTS['proportion.zTest'].estimate(all)).toEqual({ status: 'ok', value: 0 });
  });

  it('finds the treatment above the control where it is', () => {
    const arm = { n: 100, mean: 3, variance: 4 };
    const arms = { treatment: { ...arm, mean: 4 }, control: arm };
    const greater = TESTS['mean.welch'].pValue(arms, 'greater');
    const less = TESTS['mean.welch'].pValue(arms, 'less');
    if (greater.status !== 'ok' || less.status !== 'ok') throw new Error('refused');
    expect(greater.value).toBeLessThan(0.001);
    expect(less.value).toBeGreaterThan(0.999);
  });

  it('refuses what its data cannot tell', () => {
    const none = { treatment: { x: 3, n: 9 }, control: { x: 0, n: 9 } };
    expect(TESTS['proportion.lift.score'].estimate(none)).toEqual({ status: 'ZERO_BASELINE' });
    expect(TESTS['proportion.lift.log'].interval(swapArms(none), 0.05)).toEqual({
      status: 'INVALID_INPUT',
    });
    const flat = { n: 9, mean: 0, variance: 1 };
    const lifted = TESTS['mean.lift.fieller'];
    const arms = { treatment: { ...flat, mean: 2 }, control: flat };
    expect(lifted.estimate(arms)).toEqual({ status: 'ZERO_BASELINE' });
    expect(lifted.pValue(arms)).toEqual(TESTS['mean.welch'].pValue(arms));
  });

  it('answers for a plan what the vectors of its formula say', () => {
    const errors = { alpha: 0.05, power: 0.8 };
    const rates = { ...errors, pControl: 0.1, pTreatment: 0.11 };
    const mean = { ...errors, mean: 10, sd: 5, relativeEffect: 0.02 };
    const ratio = {
      ...errors,
      meanNumerator: 1.2,
      meanDenominator: 6,
      varNumerator: 2.1,
      varDenominator: 9,
      covariance: 2,
      relativeEffect: 0.03,
    };
    const watched = { ...errors, variance: 50, absoluteEffect: 0.2, tuningN: 5000 };
    const margin = { ...errors, variance: 25, margin: 0.3, trueDifference: 0 };
    const cohen = { nPerArm: 20, standardizedEffect: 0.9, alpha: 0.05 };
    const ofRates = { nControlCeil: 14751, nTreatmentCeil: 14751 };
    const score = TESTS['proportion.diff.miettinenNurminen'];
    const zTest = TESTS['proportion.zTest'];
    const sequence = TESTS['sequential.asymptoticConfidenceSequence'];
    expect(score.sampleSize(rates)).toMatchObject(ofRates);
    expect(zTest.sampleSize(rates)).toMatchObject(ofRates);
    expect(TESTS['mean.welch'].sampleSize(mean)).toMatchObject({ nControlCeil: 9812 });
    // With a correlation of 0.6 less 36 % of the units.
    expect(TESTS['cuped.single'].sampleSize({ ...mean, cupedCorrelation: 0.6 })).toMatchObject({
      nControlCeil: Math.ceil(9811.099668 * 0.64),
    });
    expect(TESTS['ratio.delta'].sampleSize(ratio)).toMatchObject({ nPerArmCeil: 20107 });
    expect(TESTS['nonInferiority.absolute'].sampleSize(margin)).toMatchObject({
      nControlCeil: 3435,
    });
    const units = sequence.sampleSize(watched);
    expect(units.status === 'ok' && units.totalN).toBeCloseTo(86454.52176, 4);
    const powers = [
      score.power({ ...rates, nPerArm: 10_000 }),
      zTest.power({ ...rates, nPerArm: 10_000 }),
      TESTS['mean.welch'].power(cohen),
    ].map((found) => (found.status === 'ok' ? found.power : Number.NaN));
    for (const [i, wanted] of [0.6355979977, 0.6355979977, 0.79203517].entries()) {
      expect(powers[i]).toBeCloseTo(wanted, 8);
    }
  });
});
