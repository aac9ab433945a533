import { describe, expect, it } from 'vitest';
import { swapArms } from '../../../test/stats/claims.ts';
import { METHODS } from '../index.ts';

// What is the same for all methods is in methods.test.ts.

describe('a method', () => {
  it('exports the questions that make sense for it, and nothing else', () => {
    const names = new Set(Object.values(METHODS).flatMap((method) => Object.keys(method)));
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
    const welch = METHODS['mean.welch'];
    expect(welch.estimate(arms)).toEqual({ status: 'ok', value: 1 });
    expect(welch.pValue(arms)).toEqual({ status: 'INSUFFICIENT_UNITS' });
    expect(METHODS['mean.lift.fieller'].estimate(arms)).toEqual({ status: 'ok', value: 0.5 });
    expect(METHODS['mean.oneArm'].estimate(flat)).toEqual({ status: 'ok', value: 3 });
    expect(METHODS['mean.oneArm'].interval(flat, 0.05)).toEqual({ status: 'ZERO_VARIANCE' });
    const all = { treatment: { x: 5, n: 5 }, control: { x: 3, n: 3 } };
    expect(METHODS['proportion.zTest'].estimate(all)).toEqual({ status: 'ok', value: 0 });
  });

  it('finds the treatment above the control where it is', () => {
    const arm = { n: 100, mean: 3, variance: 4 };
    const arms = { treatment: { ...arm, mean: 4 }, control: arm };
    const greater = METHODS['mean.welch'].pValue(arms, 'greater');
    const less = METHODS['mean.welch'].pValue(arms, 'less');
    if (greater.status !== 'ok' || less.status !== 'ok') throw new Error('refused');
    expect(greater.value).toBeLessThan(0.001);
    expect(less.value).toBeGreaterThan(0.999);
  });

  it('refuses what its data cannot tell', () => {
    const none = { treatment: { x: 3, n: 9 }, control: { x: 0, n: 9 } };
    expect(METHODS['proportion.lift.score'].estimate(none)).toEqual({ status: 'ZERO_BASELINE' });
    expect(METHODS['proportion.lift.log'].interval(swapArms(none), 0.05)).toEqual({
      status: 'INVALID_INPUT',
    });
    const flat = { n: 9, mean: 0, variance: 1 };
    const lifted = METHODS['mean.lift.fieller'];
    const arms = { treatment: { ...flat, mean: 2 }, control: flat };
    expect(lifted.estimate(arms)).toEqual({ status: 'ZERO_BASELINE' });
    expect(lifted.pValue(arms)).toEqual(METHODS['mean.welch'].pValue(arms));
  });
});
