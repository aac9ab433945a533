import type { Results } from '@assay/contract';
import { describe, expect, it } from 'vitest';
import { experimentRecord } from '../../../test/experiment-record.ts';
import type { VariantRecord } from '../experiments/experiment.ts';
import { definitionFacts, metricOf, resultFacts, trafficFacts } from './facts.ts';

const variant = (
  id: number,
  key: string,
  allocation: number,
  isControl = false,
): VariantRecord => ({
  id,
  position: id,
  key,
  name: key,
  allocation,
  isControl,
  config: {},
});

const EXPERIMENT = experimentRecord({
  key: 'checkout',
  name: 'Checkout',
  variants: [
    variant(1, 'green', 2_500),
    variant(2, 'control', 5_000, true),
    variant(3, 'off', 0),
    variant(4, 'blue', 2_500),
  ],
  metrics: [
    { metric: 'avg_value', role: 'guardrail', margin: 0.02 },
    { metric: 'value_per_user', role: 'goal' },
    { metric: 'conversion_rate', role: 'goal' },
  ],
});

const values = (known: object) =>
  Object.fromEntries(
    Object.entries(known).map(([name, fact]: [string, { value: unknown }]) => [name, fact.value]),
  );

describe('an experiment', () => {
  it('says its plan, with the control first and without arms that get no users', () => {
    expect(metricOf(EXPERIMENT, undefined)).toBe('value_per_user');
    expect(values(definitionFacts(EXPERIMENT, 'value_per_user', 'sum'))).toEqual({
      kind: 'sum',
      role: 'goal',
      method: 'sequential',
      alpha: 0.05,
      allocation: [50, 25, 25],
      planned: false,
      goals: 2,
      guardrails: 1,
    });
    expect(values(definitionFacts(EXPERIMENT, 'avg_value', 'mean'))).toMatchObject({
      kind: 'mean',
      role: 'guardrail',
      margin: 0.02,
    });
    expect(definitionFacts(EXPERIMENT, 'event_count', undefined)).not.toHaveProperty('kind');
    expect(metricOf({ ...EXPERIMENT, metrics: [] }, undefined)).toBe('conversion_rate');
  });
});

const arm = (key: string, isControl: boolean, users: number, versus: object | null) => ({
  id: isControl ? 1 : 2,
  key,
  name: key,
  is_control: isControl,
  assigned_users: users,
  sufficient: true,
  metrics: {
    value_per_user: {
      value: 10,
      // Of 400 users, though there may be any number of events.
      sample_size: 9_999,
      numerator: 4_000,
      denominator: 400,
      standard_error: 0.25,
      ci_lower: 9.5,
      ci_upper: 10.5,
      lift_vs_control: null,
      vs_control: versus,
    },
  },
  time_series: [],
});

const results = (variants: readonly object[]): Results =>
  ({
    variants,
    metadata: { start_date: '2026-01-01T00:00:00Z', end_date: '2026-01-15T00:00:00Z' },
  }) as unknown as Results;

describe('results', () => {
  it('say the deviation of one user, and what the weakest covariate explains', () => {
    const cuped = (variance_reduction: number) => ({ cuped: { variance_reduction } });
    const found = resultFacts(
      results([
        arm('control', true, 400, null),
        arm('green', false, 300, cuped(0.36)),
        arm('blue', false, 300, cuped(0.49)),
      ]),
      'value_per_user',
    );
    expect(values(found)).toEqual({ baseline: 10, standard_deviation: 5, cuped_correlation: 0.6 });
    expect(found.baseline?.note).toContain('400 users of "control"');
  });

  it('say nothing without users, without the metric, or of a covariate that there is not', () => {
    expect(resultFacts(results([arm('control', true, 0, null)]), 'value_per_user')).toEqual({});
    expect(resultFacts(results([arm('control', true, 9, null)]), 'avg_value')).toEqual({});
    const plain = [arm('control', true, 400, null), arm('green', false, 400, { difference: 1 })];
    expect(values(resultFacts(results(plain), 'value_per_user'))).toEqual({
      baseline: 10,
      standard_deviation: 5,
    });
  });
});

describe('traffic', () => {
  const frame = { since: '2026-01-01T00:00:00Z', until: '2026-01-09T00:00:00Z' };

  it('is a curve from a week on, with the mean of its last week', () => {
    const newUsers = [100, 60, 40, 0, 30, 20, 10, 5].flatMap((users, day) =>
      users === 0 ? [] : [{ day, users }],
    );
    const { known, observed } = trafficFacts({ ...frame, days: 8, newUsers }, 'users');
    expect(observed).toEqual([100, 160, 200, 200, 230, 250, 260, 265]);
    expect(known.daily_users?.value).toBeCloseTo(165 / 7, 12);
    expect(known.daily_users?.note).toContain('2026-01-01');
  });

  it('is a mean below, and nothing before a whole day or without users', () => {
    const newUsers = [
      { day: 0, users: 10 },
      { day: 2, users: 20 },
    ];
    const { known, observed } = trafficFacts({ ...frame, days: 3, newUsers }, 'users');
    expect([known.daily_users?.value, observed]).toEqual([10, []]);
    expect(trafficFacts({ ...frame, days: 0, newUsers: [] }, 'users')).toEqual({
      known: {},
      observed: [],
    });
    expect(trafficFacts({ ...frame, days: 9, newUsers: [] }, 'users').known).toEqual({});
  });
});
