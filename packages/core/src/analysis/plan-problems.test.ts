import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CONVERSION, GUARDRAIL, MEAN, METHODS } from '../../test/plans.ts';
import { value } from '../../test/stats/arbitraries.ts';
import { plan } from './plan.ts';
import type { PlanInput, PlanRefusal } from './plan-types.ts';

const REFUSED: readonly [string, PlanInput, PlanRefusal['status'], PlanRefusal['field']][] = [
  ['a share of nothing', { ...CONVERSION, baseline: 0 }, 'ZERO_BASELINE', 'effect'],
  ['a margin of nothing', { ...GUARDRAIL, baseline: 0 }, 'ZERO_BASELINE', 'margin'],
  ['no effect', { ...MEAN, effect: { type: 'absolute', value: 0 } }, 'INVALID_INPUT', 'effect'],
  [
    'an endless effect',
    { ...MEAN, effect: { type: 'absolute', value: Infinity } },
    'INVALID_INPUT',
    'effect',
  ],
  ['a rate above 1', { ...CONVERSION, baseline: 1.2 }, 'OUT_OF_RANGE', 'baseline'],
  ['an effect beyond 1', { ...CONVERSION, baseline: 0.95 }, 'OUT_OF_RANGE', 'effect'],
  [
    'from none to all',
    { ...CONVERSION, baseline: 0, effect: { type: 'absolute', value: 1 } },
    'ZERO_VARIANCE',
    'effect',
  ],
  ['a mean without deviation', { ...MEAN, deviation: null }, 'NO_DEVIATION', 'deviation'],
  [
    'a quantile without error',
    { ...MEAN, kind: 'quantile', deviation: null },
    'NO_DEVIATION',
    'deviation',
  ],
  ['users who are alike', { ...MEAN, deviation: 0 }, 'ZERO_VARIANCE', 'deviation'],
  ['a negative deviation', { ...MEAN, deviation: -1 }, 'INVALID_INPUT', 'deviation'],
  ['no baseline', { ...MEAN, baseline: Number.NaN }, 'INVALID_INPUT', 'baseline'],
  [
    'harm beyond the margin',
    { ...GUARDRAIL, effect: { type: 'relative', value: -0.04 } },
    'NO_ROOM',
    'margin',
  ],
  [
    'a guardrail that all meet',
    { ...CONVERSION, baseline: 1, margin: 0.1 },
    'ZERO_VARIANCE',
    'baseline',
  ],
  ['a negative margin', { ...GUARDRAIL, margin: -1 }, 'INVALID_INPUT', 'margin'],
  ['a certain error', { ...MEAN, alpha: 1 }, 'INVALID_INPUT', 'alpha'],
  ['power by chance', { ...MEAN, alpha: 0.5, power: 0.2 }, 'INVALID_INPUT', 'power'],
  ['one arm', { ...MEAN, allocation: [1] }, 'INVALID_INPUT', 'allocation'],
  ['an arm without users', { ...MEAN, allocation: [1, 0] }, 'INVALID_INPUT', 'allocation'],
  ['a perfect covariate', { ...MEAN, cupedCorrelation: 1 }, 'INVALID_INPUT', 'cupedCorrelation'],
  [
    'a covariate of a quantile',
    { ...MEAN, kind: 'quantile', cupedCorrelation: 0.5 },
    'INVALID_INPUT',
    'cupedCorrelation',
  ],
  ['a baseline next to nothing', { ...MEAN, baseline: 5e-324 }, 'INVALID_INPUT', 'baseline'],
  [
    'a guardrail expected to gain more than all',
    { ...CONVERSION, margin: 0.1, effect: { type: 'absolute', value: 2 } },
    'OUT_OF_RANGE',
    'effect',
  ],
  [
    'an effect of many deviations',
    { ...MEAN, effect: { type: 'absolute', value: 1e6 } },
    'OUT_OF_RANGE',
    'effect',
  ],
  ['no goal', { ...MEAN, goals: 0 }, 'INVALID_INPUT', 'goals'],
  ['half a guardrail', { ...MEAN, guardrails: 0.5 }, 'INVALID_INPUT', 'guardrails'],
  [
    'a falling count of users',
    { ...MEAN, recruitment: { observed: [2, 1], daily: 1, share: 1 } },
    'INVALID_INPUT',
    'recruitment',
  ],
  ['negative days', { ...MEAN, minimumDays: -1 }, 'INVALID_INPUT', 'minimumDays'],
  [
    'too many users',
    { ...MEAN, effect: { type: 'absolute', value: 1e-12 } },
    'TOO_MANY_USERS',
    'effect',
  ],
];

describe('a plan is refused', () => {
  it.each(REFUSED)('for %s', (_, input, status, field) => {
    for (const method of Object.values(METHODS)) {
      const outcome = plan({ ...input, ...method });
      expect(outcome).toMatchObject({ status, field });
    }
  });

  it('for a one-sided level that no sequence has a boundary for', () => {
    const guardrail: PlanInput = { ...GUARDRAIL, method: 'sequential', alpha: 0.6, power: 0.8 };
    const outcome = plan({ ...guardrail, isPlanned: false });
    expect(outcome).toMatchObject({ status: 'INVALID_INPUT', field: 'alpha' });
    expect(plan({ ...guardrail, isPlanned: true }).status).toBe('ok');
    expect(plan({ ...guardrail, isPlanned: false, alpha: 0.49 }).status).toBe('ok');
  });

  it('or has finite numbers, whatever comes', () => {
    const number = fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 });
    fc.assert(
      fc.property(
        fc.record({
          kind: fc.constantFrom('conversion', 'sum', 'quantile'),
          baseline: fc.oneof(number, value(0, 1)),
          deviation: fc.option(number),
          effect: fc.record({
            type: fc.constantFrom('relative', 'absolute'),
            value: fc.oneof(number, value(-1, 1)),
          }),
          margin: fc.option(value(0, 1)),
          method: fc.constantFrom('fixed', 'sequential'),
          isPlanned: fc.boolean(),
          alpha: value(1e-6, 0.5),
          power: value(0.5, 0.999),
        } as const),
        (given) => {
          const outcome = plan({ ...CONVERSION, ...given } as PlanInput);
          if (outcome.status !== 'ok') return outcome.change !== '';
          const { curve, inflation, totalUsers } = outcome;
          const numbers = curve.flatMap(({ users, absolute, relative }) => [
            users,
            absolute ?? 0,
            relative ?? 0,
          ]);
          return [...numbers, inflation, totalUsers].every(Number.isFinite);
        },
      ),
    );
  });
});
