import { PowerRequest, PowerResult } from '@assay/contract';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { DomainError } from '../../errors.ts';
import { answer } from './answer.ts';

/** A number as it ought to be, or now and then any. */
const around = (min: number, max: number) =>
  fc.oneof(
    {
      weight: 20,
      // Doubles of fast-check are mostly tiny.
      arbitrary: fc.integer({ min: 0, max: 1_000 }).map((k) => min + ((max - min) * k) / 1_000),
    },
    { weight: 1, arbitrary: fc.constantFrom(0, 1, -1, 1e-9, 1e-300, 1e-30, 1e30, 1e300) },
    { weight: 1, arbitrary: fc.double({ noNaN: true, noDefaultInfinity: true }) },
  );
const present = <T>(share: number, arbitrary: fc.Arbitrary<T>) =>
  fc.oneof({ weight: share, arbitrary }, { weight: 10 - share, arbitrary: fc.constant(undefined) });
const seldom = <T>(arbitrary: fc.Arbitrary<T>) => present(2, arbitrary);
const often = <T>(arbitrary: fc.Arbitrary<T>) => present(8, arbitrary);

/** Requests of all kinds; many contradict themselves, or are beyond what can be computed. */
const requests = fc.record({
  kind: fc.constantFrom('conversion', 'count', 'sum', 'mean', 'ratio', 'quantile', 'funnel'),
  baseline: often(around(0.01, 0.6)),
  standard_deviation: present(5, around(0.1, 3)),
  moments: present(
    1,
    fc.record({
      mean_numerator: around(0.5, 2),
      mean_denominator: around(0.5, 2),
      var_numerator: around(0.5, 2),
      var_denominator: around(0.5, 2),
      covariance: around(-0.5, 0.5),
    }),
  ),
  effect: around(-0.5, 0.5),
  effect_type: seldom(fc.constantFrom('relative', 'absolute')),
  role: seldom(fc.constantFrom('goal', 'guardrail')),
  margin: seldom(around(0, 1)),
  alpha: seldom(around(0.001, 0.2)),
  power: seldom(around(0.5, 0.999)),
  allocation: seldom(fc.array(around(1, 100), { minLength: 2, maxLength: 5 })),
  method: seldom(fc.constantFrom('fixed', 'sequential', 'bayesian')),
  planned: seldom(fc.boolean()),
  cuped_correlation: seldom(around(-0.9, 0.9)),
  guardrails: seldom(fc.integer({ min: 0, max: 1_000 })),
  daily_users: seldom(around(1, 1e5)),
  traffic_pct: seldom(around(1, 100)),
});

it('answers every request by numbers that JSON has, or names the field to change', () => {
  let answered = 0;
  fc.assert(
    fc.property(requests, (request) => {
      const given = PowerRequest.safeParse(request);
      if (!given.success) return;
      try {
        const result = answer(given.data, { known: {}, observed: [] }, []);
        // Here a NaN would still be seen, which JSON turns into a null.
        PowerResult.parse(result);
        answered += 1;
      } catch (error) {
        if (!(error instanceof DomainError)) throw error;
        for (const { path, message } of error.errors ?? []) {
          expect(Object.keys(PowerRequest.shape)).toContain(path.split('.')[0]);
          expect(message).not.toBe('');
        }
        expect(error.errors).not.toEqual([]);
      }
    }),
    { numRuns: 1_000 },
  );
  expect(answered).toBeGreaterThan(100);
}, 60_000);
