import { readFile } from 'node:fs/promises';
import type { PowerResult } from '@assay/contract';
import { describe, expect } from 'vitest';
import { startedExperiment, type TestApp } from '../../../test/app.ts';
import { test } from '../../../test/fixtures.ts';
import { readStar, STAR_EXPERIMENT } from '../../demo/star.ts';

const DAY_MS = 86_400_000;

async function planOf(api: TestApp, body: object): Promise<PowerResult> {
  const answer = await api.call('POST', '/v1/power', body);
  if (answer.statusCode !== 200) throw new Error(answer.body);
  return answer.json<PowerResult>();
}

const assumed = ({ assumptions }: PowerResult, field: string) =>
  assumptions.find((assumption) => assumption.field === field);

const SPLIT = [
  { key: 'control', allocation_pct: 50, is_control: true },
  { key: 'green', allocation_pct: 50 },
];

/**
 * Users who came over the last `counts.length` days, so many on each of them, by turns to both
 * variants; every fourth buys for 10, and for 30 in the treatment.
 */
async function fill(api: TestApp, key: string, counts: readonly number[]): Promise<void> {
  const start = Date.now() - counts.length * DAY_MS;
  const users = counts.flatMap((count, day) =>
    Array.from({ length: count }, (_, index) => ({ day, index })),
  );
  const at = (day: number, minutes: number) =>
    new Date(start + day * DAY_MS + minutes * 60_000).toISOString();
  const exposures = users.map(({ day, index }) => ({
    experiment: key,
    user_id: `u${day}-${index}`,
    variant: index % 2 === 0 ? 'control' : 'green',
    timestamp: at(day, 60),
  }));
  const events = users.flatMap(({ day, index }) =>
    index % 4 > 1
      ? []
      : [
          {
            event_id: `00000000-0000-4000-8000-${String(day * 10_000 + index).padStart(12, '0')}`,
            user_id: `u${day}-${index}`,
            type: 'buy',
            timestamp: at(day, 90),
            value: index % 2 === 0 ? 10 : 30,
          },
        ],
  );
  for (let from = 0; from < users.length; from += 1_000) {
    await api.call('POST', '/v1/exposures', { exposures: exposures.slice(from, from + 1_000) });
  }
  for (let from = 0; from < events.length; from += 1_000) {
    await api.call('POST', '/v1/events', { events: events.slice(from, from + 1_000) });
  }
}

describe('a plan from numbers', () => {
  test('has size, duration and curve, and says what it assumed', async ({ api }) => {
    const plan = await planOf(api, {
      kind: 'conversion',
      baseline: 0.1,
      effect: 0.1,
      method: 'fixed',
      daily_users: 5_000,
      traffic_pct: 50,
    });
    expect(plan).toMatchObject({
      design: 'fixed_horizon',
      total_users: 29_502,
      arms: [
        { variant: null, share: 0.5, users: 14_751 },
        { variant: null, share: 0.5, users: 14_751 },
      ],
      inflation: 1,
      duration: { days: 12, days_whole_weeks: 14 },
      standard_deviation: null,
      margin: null,
      cautions: [],
    });
    expect(plan.effect_absolute).toBeCloseTo(0.01, 12);
    expect(plan.curve).toHaveLength(12);
    expect(plan.curve[1]).toMatchObject({ days: 14, users: 35_000 });
    expect(assumed(plan, 'baseline')).toEqual({ field: 'baseline', value: 0.1, source: 'request' });
    expect(assumed(plan, 'power')).toEqual({ field: 'power', value: 0.8, source: 'default' });
    expect(assumed(plan, 'planned')).toBeUndefined();
  });

  test('is of every kind, and of a sequential method unless another is named', async ({ api }) => {
    const value = { baseline: 10, standard_deviation: 5, effect: 0.02 };
    for (const kind of ['count', 'sum', 'mean', 'ratio', 'quantile']) {
      const plan = await planOf(api, { kind, ...value });
      expect(plan).toMatchObject({
        method: 'sequential',
        design: 'group_sequential',
        duration: null,
      });
      expect(plan.inflation).toBeCloseTo(1.007, 4);
      expect(plan.curve[3]?.mde_absolute).toBeCloseTo(0.2, 4);
    }
    for (const kind of ['conversion', 'retention', 'funnel']) {
      const plan = await planOf(api, { kind, baseline: 0.5, effect: -0.1, planned: false });
      expect(plan.design).toBe('confidence_sequence');
      expect(plan.curve[3]?.mde_absolute).toBeCloseTo(-0.05, 4);
    }
    const guardrail = await planOf(api, {
      kind: 'ratio',
      role: 'guardrail',
      margin: 0.05,
      method: 'bayesian',
      moments: {
        mean_numerator: 1.2,
        mean_denominator: 6,
        var_numerator: 2.1,
        var_denominator: 9,
        covariance: 2,
      },
    });
    expect(guardrail).toMatchObject({ sided: 1, role: 'guardrail', effect_absolute: 0 });
    expect(guardrail.standard_deviation).toBeCloseTo(Math.sqrt(0.04611111111), 9);
    expect(guardrail.curve[3]?.mde_relative).toBeCloseTo(0.05, 4);
    expect(guardrail.cautions.map(({ code }) => code)).toEqual(['as_fixed']);
  });

  test('is for who reads', async ({ api }) => {
    const body = { kind: 'conversion', baseline: 0.1, effect: 0.1 };
    const status = async (token: string | null) =>
      (await api.call('POST', '/v1/power', body, { token })).statusCode;
    expect(await status(null)).toBe(401);
    expect(await status(await api.tokenOf('client'))).toBe(403);
    expect(await status(await api.tokenOf('ingest'))).toBe(403);
    expect(await status(await api.tokenOf('viewer'))).toBe(200);
  });

  const rate = { kind: 'conversion', baseline: 0.1, effect: 0.1 };
  const moments = {
    mean_numerator: 1,
    mean_denominator: 1,
    var_numerator: 1,
    var_denominator: 1,
    covariance: 0,
  };
  const wrong: [string, object, string[]][] = [
    ['nothing', {}, ['kind', 'baseline', 'effect']],
    ['an unknown field', { ...rate, colour: 'red' }, ['colour']],
    ['an unknown kind', { ...rate, kind: 'vibes' }, ['kind']],
    ['a rate above 1', { ...rate, baseline: 1.5 }, ['baseline']],
    ['an effect that leaves 0…1', { ...rate, effect: 20 }, ['effect']],
    ['no effect', { ...rate, effect: 0 }, ['effect']],
    ['a share of nothing', { ...rate, baseline: 0 }, ['effect']],
    ['a certain level', { ...rate, alpha: 1 }, ['alpha']],
    ['no power', { ...rate, power: 0 }, ['power']],
    ['one arm', { ...rate, allocation: [100] }, ['allocation']],
    ['an arm without users', { ...rate, allocation: [100, 0] }, ['allocation.1']],
    ['a deviation of a rate', { ...rate, standard_deviation: 1 }, ['standard_deviation']],
    ['moments of a rate', { ...rate, baseline: undefined, moments }, ['moments']],
    [
      'moments that no users have',
      { kind: 'ratio', effect: 0.1, moments: { ...moments, covariance: 1e6 } },
      ['moments'],
    ],
    ['two baselines', { kind: 'ratio', baseline: 1, effect: 0.1, moments }, ['baseline']],
    [
      'moments that divide by nothing',
      { kind: 'ratio', effect: 0.1, moments: { ...moments, mean_denominator: 0 } },
      ['moments.mean_denominator'],
    ],
    [
      'a negative variance',
      { kind: 'ratio', effect: 0.1, moments: { ...moments, var_numerator: -1 } },
      ['moments.var_numerator'],
    ],
    ['a mean without deviation', { ...rate, kind: 'sum' }, ['standard_deviation']],
    ['a quantile without error', { ...rate, kind: 'quantile' }, ['standard_deviation']],
    [
      'users who are alike',
      { ...rate, kind: 'sum', standard_deviation: 0 },
      ['standard_deviation'],
    ],
    ['a guardrail without margin', { ...rate, role: 'guardrail' }, ['margin']],
    ['a goal with margin', { ...rate, role: 'goal', margin: 0.1 }, ['margin']],
    [
      'harm beyond the margin',
      { ...rate, role: 'guardrail', margin: 0.1, effect: -0.2 },
      ['margin'],
    ],
    ['a metric of no experiment', { ...rate, metric: 'avg_value' }, ['metric']],
    ['an event type of no experiment', { ...rate, event_type: 'buy' }, ['event_type']],
    ['a perfect covariate', { ...rate, cuped_correlation: 1 }, ['cuped_correlation']],
    ['no users a day', { ...rate, daily_users: 0 }, ['daily_users']],
    ['more than all of them', { ...rate, traffic_pct: 101 }, ['traffic_pct']],
    ['an effect that nobody can find', { ...rate, effect: 1e-9 }, ['effect']],
    ['words for numbers', { ...rate, baseline: '0.1' }, ['baseline']],
  ];
  // In one test, since what they share, a database, takes longer than all of them.
  test('is refused for what it cannot be made of, by the names of the fields', async ({ api }) => {
    const refusals = await Promise.all(
      wrong.map(async ([what, body]) => {
        const answer = await api.call('POST', '/v1/power', body);
        const { code, errors = [] } = answer.json();
        const paths = errors.map(({ path }: { path: string }) => path);
        return [what, answer.statusCode, code, paths];
      }),
    );
    expect(refusals).toEqual(wrong.map(([what, , paths]) => [what, 422, 'invalid', paths]));
  });
});

describe('a plan from an experiment', () => {
  test('takes the metric, the split and the traffic from it', async ({ api }) => {
    await startedExperiment(api, 'known', {
      metrics: [
        { metric: 'value_per_user', role: 'goal' },
        { metric: 'conversion_rate', role: 'guardrail', margin: 0.1 },
      ],
      analysis: { method: 'fixed', confidence_level: 90 },
    });
    await fill(api, 'known', [200, 120, 80, 60, 40, 40, 40, 40, 20]);
    const plan = await planOf(api, { experiment: 'known', event_type: 'buy', effect: 0.1 });
    // Half of the control buys for 10: mean 5, deviation 5 but for n − 1.
    expect(plan).toMatchObject({ kind: 'sum', method: 'fixed', alpha: 0.1, baseline: 5 });
    expect(plan.standard_deviation).toBeCloseTo(5, 1);
    expect(plan.power_per_metric).toBeCloseTo(0.9, 12);
    expect(plan.arms.map(({ variant }) => variant)).toEqual(['control', 'green']);
    const daily = assumed(plan, 'daily_users');
    expect(daily).toMatchObject({ source: 'traffic' });
    expect(daily?.value).toBeCloseTo(420 / 7, 12);
    expect(assumed(plan, 'baseline')?.source).toBe('results');
    expect(assumed(plan, 'alpha')?.source).toBe('experiment');
    // 620 users after eight days, and then 60 a day; the ninth day is not over.
    expect(plan.curve[0]).toMatchObject({ days: 7, users: 580 });
    expect(plan.curve[1]).toMatchObject({ days: 14, users: 620 + 6 * 60 });
    expect(plan.duration?.days).toBe(8 + Math.ceil((plan.total_users - 620) / 60));
  });

  test('takes what the request says before it', async ({ api }) => {
    const id = await startedExperiment(api, 'said', { analysis: { method: 'fixed' } });
    await fill(api, 'said', [40, 40]);
    const guardrail = await planOf(api, {
      experiment: String(id),
      metric: 'conversion_rate',
      event_type: ['buy'],
      role: 'guardrail',
      margin: 0.2,
      allocation: [90, 10],
      daily_users: 100,
    });
    expect(guardrail).toMatchObject({ kind: 'conversion', role: 'guardrail', baseline: 0.5 });
    expect(guardrail.arms.map(({ variant, share }) => [variant, share])).toEqual([
      [null, 0.9],
      [null, 0.1],
    ]);
    expect(guardrail.curve[0]?.users).toBe(700);
    const average = await planOf(api, {
      experiment: 'said',
      metric: 'avg_value',
      baseline: 20,
      standard_deviation: 8,
      effect: 0.1,
      effect_type: 'absolute',
      cuped_correlation: 0.5,
    });
    expect(average).toMatchObject({ kind: 'mean', baseline: 20, variance_multiplier: 0.75 });
    expect(assumed(average, 'daily_users')).toMatchObject({ value: 40, source: 'traffic' });
  });

  test('takes the traffic of all for an experiment that has none yet', async ({ api }) => {
    await startedExperiment(api, 'busy');
    await fill(api, 'busy', [80, 40, 40, 40, 40, 40, 40, 40, 40, 40]);
    const draft = { key: 'draft', name: 'Draft', coverage_pct: 50, variants: SPLIT };
    await api.call('POST', '/v1/experiments', draft);
    const plan = await planOf(api, { experiment: 'draft', baseline: 0.1, effect: 0.1 });
    // Every second user sends an event, and each counts once; half of them enter.
    expect(assumed(plan, 'daily_users')?.value).toBeCloseTo(20, 12);
    expect(assumed(plan, 'daily_users')?.note).toContain('users who sent an event');
    expect(assumed(plan, 'traffic_pct')).toMatchObject({ value: 50, source: 'experiment' });
    expect(plan.curve[0]?.users).toBe((40 + 6 * 20) / 2);
    expect(assumed(plan, 'baseline')?.source).toBe('request');
  });

  test('asks for what an experiment without users cannot say', async ({ api }) => {
    await startedExperiment(api, 'empty');
    const paths = async (body: object) => {
      const answer = await api.call('POST', '/v1/power', body);
      return [
        answer.statusCode,
        answer.json().code,
        answer.json().errors?.map(({ path }: { path: string }) => path),
      ];
    };
    const empty = { experiment: 'empty' };
    // A rate without users is unknown, and not 0.
    expect(await paths({ ...empty, effect: 0.1 })).toEqual([422, 'invalid', ['baseline']]);
    const plan = await planOf(api, { ...empty, effect: 0.1, baseline: 0.2 });
    expect(plan).toMatchObject({ duration: null, design: 'confidence_sequence' });
    expect(await paths({ ...empty, effect: 0.1, metric: 'nope' })).toEqual([
      422,
      'invalid',
      ['metric'],
    ]);
    expect(await paths({ ...empty, effect: 0.1, metric: 'event_count' })).toEqual([
      422,
      'invalid',
      ['kind', 'baseline'],
    ]);
    expect(await paths({ experiment: 'nowhere', effect: 0.1 })).toEqual([
      404,
      'experiment_not_found',
      undefined,
    ]);
  });

  test('needs no error of a quantile to say that it needs one', async ({ api }) => {
    await startedExperiment(api, 'quantiles');
    await fill(api, 'quantiles', [40, 40]);
    const body = { experiment: 'quantiles', metric: 'median_value', effect: 0.1 };
    const answer = await api.call('POST', '/v1/power', body);
    expect(answer.json().errors[0]).toMatchObject({ path: 'standard_deviation' });
    expect(answer.json().detail).toContain('NO_DEVIATION');
    expect(await planOf(api, { ...body, standard_deviation: 30 })).toMatchObject({ baseline: 10 });
  });
});

describe('a metric of the catalogue', () => {
  test('is planned for by its kind, with what its covariate takes off', async ({ api }) => {
    const metric = { key: 'spent', kind: 'sum', event_type: 'buy', cuped: { days: 7 } };
    expect((await api.call('POST', '/v1/metrics', metric)).statusCode).toBe(201);
    await startedExperiment(api, 'catalogued');
    await fill(api, 'catalogued', [60, 60]);
    const plan = await planOf(api, { experiment: 'catalogued', metric: 'spent', effect: 0.1 });
    expect(assumed(plan, 'kind')).toMatchObject({ value: 'sum', source: 'experiment' });
    expect(assumed(plan, 'baseline')).toMatchObject({ value: 5, source: 'results' });
    expect(assumed(plan, 'standard_deviation')).toMatchObject({ source: 'results' });
    // Nobody bought before: the covariate is constant, and takes nothing off.
    expect(assumed(plan, 'cuped_correlation')?.value ?? 0).toBe(0);
  });
});

describe('the examples', () => {
  test('of the API are taken by it', async ({ api }) => {
    const document = (await api.call('GET', '/openapi.json')).json();
    const { examples } = document.components.schemas.PowerRequest;
    expect(examples).toHaveLength(2);
    expect((await planOf(api, examples[0])).total_users).toBeGreaterThan(1_000);
  });

  test('of the manual run, the demo loaded', async ({ api }) => {
    const csv = await readFile(
      new URL('../../../data/star-kindergarten.csv', import.meta.url),
      'utf8',
    );
    const { exposures, events } = readStar(csv, (Date.now() - 75 * DAY_MS) * 1_000);
    await startedExperiment(api, STAR_EXPERIMENT.key, STAR_EXPERIMENT);
    for (let at = 0; at < exposures.length; at += 1_000) {
      await api.call('POST', '/v1/exposures', { exposures: exposures.slice(at, at + 1_000) });
      await api.call('POST', '/v1/events', { events: events.slice(at, at + 1_000) });
    }
    const manual = await readFile(new URL('../../../../../docs/power.md', import.meta.url), 'utf8');
    const bodies = [...manual.matchAll(/-d '([^']+)'/g)].map(([, body = '']) => JSON.parse(body));
    expect(bodies).toHaveLength(6);
    const plans = await Promise.all(bodies.map((body) => planOf(api, body)));
    expect(plans[1]?.variance_multiplier).toBe(0.75);
    const star = plans.at(-1);
    // The published standard error of regular classes, and their pupils.
    expect(star?.standard_deviation).toBeCloseTo(1.633 * Math.sqrt(2_194), 0);
    expect(star).toMatchObject({
      kind: 'mean',
      design: 'fixed_horizon',
      alpha_per_comparison: 0.025,
    });
  });
});
