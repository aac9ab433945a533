import type { HealthCheck } from '@assay/contract';
import type { ArmData } from '@assay/core/analysis';
import type { JointMoments } from '@assay/core/stats';
import { describe, expect, it } from 'vitest';
import { END, healthOfMade, type Made, rate } from '../../../../test/results/made-health.ts';
import { builtInMetric } from '../built-ins.ts';
import type { ResolvedMetric } from '../metric.ts';
import type { Question } from '../question.ts';
import type { Conflicts } from './conflicts.ts';
import { blocksOf, splitStatus } from './health.ts';

const checkOf = (made: Made, name: HealthCheck['check']): HealthCheck | undefined =>
  healthOfMade(made).checks.find(({ check }) => check === name);

describe('a result of which everything is well', () => {
  it('says so in every check that applies', () => {
    const health = healthOfMade({});
    expect(health.status).toBe('ok');
    expect(health.checks.map(({ check, status }) => [check, status])).toEqual([
      ['srm', 'ok'],
      ['conflicts', 'ok'],
      ['missing_events', 'ok'],
      ['data_freshness', 'ok'],
      ['quarantined_events', 'ok'],
      ['plan_changed', 'ok'],
      ['too_few_users', 'ok'],
    ]);
    for (const { message } of health.checks) expect(message).toMatch(/^[A-Z].*\.$/);
    expect(health).toMatchObject({
      missing_events: [],
      contaminated_covariates: [],
      pre_period_imbalance: [],
      plan_changes: [],
      too_few_users: [],
      data_freshness: { status: 'ok', lag_ms: 500 },
    });
    expect(health.srm.root_cause).toBeUndefined();
  });
});

describe('the split', () => {
  it('alarms first, with its root cause', () => {
    const health = healthOfMade({ cells: [{ day: 0, users: [600, 400] }], quarantined: 3 });
    expect(health.status).toBe('alarm');
    expect(health.checks.slice(0, 2).map(({ check, status }) => [check, status])).toEqual([
      ['srm', 'alarm'],
      ['quarantined_events', 'warning'],
    ]);
    expect(health.checks[0]?.message).toMatch(/is not the planned one \(p = 2\.5e-10\)/);
    expect(health.srm.root_cause?.causes.length).toBeGreaterThan(0);
    expect(splitStatus(health.srm)).toBe('alarm');
  });

  it('that was off at some time stays an alarm', () => {
    const cells = [
      { day: 0, users: [4_000, 2_500] },
      { day: 1, users: [1_000, 2_500] },
    ];
    const health = healthOfMade({ cells });
    expect(health.srm.status).toBe('ok');
    expect(splitStatus(health.srm)).toBe('alarm');
    expect(health.checks[0]?.message).toMatch(/was off at some time/);
  });

  it('warns where it is unlikely, and waits where users are few', () => {
    expect(checkOf({ cells: [{ day: 0, users: [550, 460] }] }, 'srm')?.status).toBe('warning');
    const few = checkOf({ cells: [{ day: 0, users: [0, 0] }] }, 'srm');
    expect(few).toMatchObject({ status: 'ok', message: expect.stringContaining('too few') });
  });

  it('is checked within segments when these are asked for', () => {
    const cells = [
      { day: 0, segment: 'DE', users: [600, 400] },
      { day: 0, segment: 'AT', users: [400, 600] },
    ];
    const made = { cells, question: { segmentBy: 'country' } };
    expect(healthOfMade(made).srm.status).toBe('ok');
    expect(checkOf(made, 'srm_segments')).toMatchObject({
      status: 'alarm',
      message: expect.stringMatching(/context\.country "(DE|AT)" and in 1 other /),
    });
  });
});

describe('conflicts and quarantine', () => {
  it.each([
    [1, 'ok'],
    [2, 'warning'],
    [11, 'alarm'],
  ])('%i conflicts among 1,005 users: %s', (assigned, status) => {
    const conflicts = { assigned, unassigned: 0 };
    expect(checkOf({ conflicts }, 'conflicts')?.status).toBe(status);
  });

  it('are never more than all, whoever was reported', () => {
    const shares: [Conflicts, string][] = [
      [{ assigned: 1_005, unassigned: 0 }, '100 %'],
      [{ assigned: 0, unassigned: 1_005 }, '50 %'],
      [{ assigned: 1_005, unassigned: 9_000 }, '100 %'],
      // Known already where users are counted a moment behind.
      [{ assigned: 1_010, unassigned: 0 }, '100 %'],
    ];
    for (const [conflicts, share] of shares) {
      const { assigned, unassigned } = conflicts;
      expect(healthOfMade({ conflicts }).conflicts).toBe(assigned + unassigned);
      expect(checkOf({ conflicts }, 'conflicts')).toMatchObject({
        status: 'alarm',
        message: expect.stringContaining(`(${share})`),
      });
    }
  });

  it('have the same share wherever it is said', () => {
    const conflicts = { assigned: 100, unassigned: 45 };
    const off = { cells: [{ day: 0, users: [800, 205] as const }], conflicts };
    const said = healthOfMade(off).srm.root_cause?.causes.find(
      ({ pattern }) => pattern === 'conflicts',
    );
    expect(said?.message).toContain('13.8 % of the users');
    expect(checkOf(off, 'conflicts')?.message).toContain('(14 %)');
  });

  it('speak of one item as of one', () => {
    expect(checkOf({ quarantined: 1 }, 'quarantined_events')?.message).toMatch(/1 item .* is in/);
    expect(checkOf({ quarantined: 2 }, 'quarantined_events')?.message).toMatch(/2 items .* are in/);
  });
});

describe('missing events', () => {
  const none = [rate(500, 0), rate(505, 0)] as const;

  it('of a goal are a fault that forbids a winner', () => {
    const health = healthOfMade({ data: none });
    expect(health.missing_events).toEqual(['conversion_rate']);
    expect(health.status).toBe('alarm');
    expect(blocksOf(health)).toEqual([{ kind: 'missing_events', metric: 'conversion_rate' }]);
  });

  it('are a doubt among few users, and none without users', () => {
    const few = { cells: [{ day: 0, users: [20, 25] }], data: none };
    expect(checkOf(few, 'missing_events')?.status).toBe('warning');
    expect(healthOfMade({ cells: [], data: none }).missing_events).toEqual([]);
  });

  it('of a guardrail are what one hopes for', () => {
    expect(healthOfMade({ data: none, role: 'guardrail' }).missing_events).toEqual([]);
  });

  it('are not missed before the window of anybody has begun', () => {
    const plain = builtInMetric('conversion_rate', []);
    if (plain.kind !== 'rate') throw new Error('a rate');
    const inDays = (days: number): ResolvedMetric => ({
      ...plain,
      measure: { ...plain.measure, fromHours: 24 * days, toHours: 24 * days + 24 },
    });
    expect(healthOfMade({ data: none, metric: inDays(11) }).missing_events).toEqual([]);
    // The first user may have come at the end of the first day.
    expect(healthOfMade({ data: none, metric: inDays(10) }).missing_events).toEqual([]);
    expect(healthOfMade({ data: none, metric: inDays(9) }).missing_events).toHaveLength(1);
  });

  it('are told from values of zero', () => {
    const moments = (variance: number): JointMoments => ({
      n: 500,
      mean: [0],
      products: [[variance]],
    });
    const sum = (variance: number): ArmData => ({
      kind: 'mean',
      total: 0,
      moments: moments(variance),
    });
    const metric = builtInMetric('value_per_user', []);
    expect(healthOfMade({ metric, data: [sum(0), sum(0)] }).missing_events).toHaveLength(1);
    expect(healthOfMade({ metric, data: [sum(0), sum(9)] }).missing_events).toEqual([]);
    const ratio = (denominator: number): ArmData => ({
      kind: 'ratio',
      numerator: 0,
      denominator,
      about: 0,
      aboutBefore: 0,
      moments: {
        n: 500,
        mean: [0, denominator / 500],
        products: [
          [0, 0],
          [0, 0],
        ],
      },
    });
    const average = builtInMetric('avg_value', []);
    expect(
      healthOfMade({ metric: average, data: [ratio(0), ratio(0)] }).missing_events,
    ).toHaveLength(1);
    expect(healthOfMade({ metric: average, data: [ratio(7), ratio(5)] }).missing_events).toEqual(
      [],
    );
    const quantile = builtInMetric('median_value', []);
    expect(
      healthOfMade({
        metric: quantile,
        data: [armsWithoutEvents(), armsWithoutEvents()],
      }).missing_events,
    ).toEqual(['median_value']);
  });

  const armsWithoutEvents = (): ArmData => ({
    kind: 'quantile',
    p: 0.5,
    users: 500,
    clusters: 0,
    events: 0,
    value: null,
    lower: null,
    upper: null,
    sums: { below: 0, belowSquares: 0, eventsSquares: 0, product: 0 },
  });
});

describe('what users did before', () => {
  /** Of a metric and its covariate, which go together. */
  const mean = (before: number): ArmData => ({
    kind: 'mean',
    total: 2_500,
    moments: {
      n: 500,
      mean: [5, before],
      products: [
        [2_000, 1_600],
        [1_600, 2_000],
      ],
    },
  });
  const plain = builtInMetric('value_per_user', []);
  if (plain.kind !== 'mean') throw new Error('a mean');
  const metric: ResolvedMetric = { ...plain, cupedDays: 14 };

  it('is alike', () => {
    const health = healthOfMade({ metric, data: [mean(10), mean(10.1)] });
    expect(health.status).toBe('ok');
    expect(health.pre_period_imbalance).toMatchObject([
      { metric: 'value_per_user', variant: 'blue', status: 'ok' },
    ]);
    expect(health.checks.map(({ check }) => check)).toContain('pre_period_imbalance');
  });

  it('differs: both the variants and what the covariate moves', () => {
    const health = healthOfMade({ metric, data: [mean(10), mean(11)] });
    expect(health.contaminated_covariates).toEqual(['value_per_user']);
    expect(health.checks.slice(0, 2).map(({ check, status }) => [check, status])).toEqual([
      ['contaminated_covariates', 'alarm'],
      ['pre_period_imbalance', 'alarm'],
    ]);
    expect(health.checks[1]?.message).toContain('"blue" in "value_per_user"');
  });
});

describe('the age of the data', () => {
  it.each([
    [59_999, 'ok'],
    [60_000, 'warning'],
    [900_000, 'alarm'],
  ])('%i ms: %s', (lagMs, status) => {
    const made = { sourced: { lagMs } };
    expect(healthOfMade(made).data_freshness.status).toBe(status);
    expect(checkOf(made, 'data_freshness')?.status).toBe(status);
  });

  it('is of no interest when all of the time asked for is there', () => {
    const sourced = { lagMs: 900_000_000, asOf: END };
    expect(healthOfMade({ sourced }).data_freshness.status).toBe('ok');
  });

  it('is unknown where nothing has arrived', () => {
    const sourced = { lagMs: null, asOf: null };
    expect(checkOf({ sourced }, 'data_freshness')).toMatchObject({
      status: 'alarm',
      message: 'No data has arrived yet.',
    });
  });
});

describe('too few users', () => {
  it('are named by variant', () => {
    const made = { cells: [{ day: 0, users: [101, 99] }] };
    expect(healthOfMade(made).too_few_users).toEqual(['blue']);
    expect(checkOf(made, 'too_few_users')).toMatchObject({
      status: 'warning',
      message: '"blue" has fewer than 100 users.',
    });
  });

  it('are none at all before the first', () => {
    const messageOf = (question: Partial<Question>) =>
      checkOf({ cells: [], question }, 'too_few_users')?.message;
    expect(messageOf({})).toBe('No user was assigned up to 2026-01-15T00:00:00Z.');
    const contextFilters = [{ name: 'country', values: ['DE'] }];
    expect(messageOf({ contextFilters })).toMatch(
      /^No user who was .* has context\.country = DE\.$/,
    );
  });
});
