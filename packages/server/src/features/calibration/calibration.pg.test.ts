import { type Calibration, type Results, ResultsQuery } from '@assay/contract';
import { describe, expect } from 'vitest';
import { startedExperiment } from '../../../test/app.ts';
import { define, fill, KEYS, never, read, request } from '../../../test/calibration.ts';
import { test } from '../../../test/fixtures.ts';
import { inTransaction } from '../../platform/postgres.ts';
import { startCalibration } from '../../worker/calibration.ts';
import { requireExperiment } from '../experiments/service.ts';
import { framedQuestion } from '../results/service.ts';
import { metricsToUse } from '../results/use-metrics.ts';
import { CALIBRATION_LIMITS, controlShare } from './measure.ts';
import { toPopulation, userPlanOf } from './population.ts';
import { runCalibrations } from './run.ts';
import { queueDaily } from './service.ts';
import { readUsers } from './store-users.ts';

describe('a calibration', () => {
  test('is asked for, run by the worker and answered, for every kind of metric', async ({
    api,
    database,
  }) => {
    await define(api);
    const id = await startedExperiment(api, 'shop', {
      metrics: [
        ...KEYS.map((metric) => ({ metric })),
        { metric: 'unique_users', role: 'secondary' },
      ],
      analysis: { method: 'fixed', confidence_level: 95 },
    });
    await fill(database, id, 3_000);
    const answer = await api.call('POST', '/v1/calibration', { splits: 200 });
    const queued = answer.json<Calibration>();
    expect([answer.statusCode, answer.headers.location]).toEqual([
      202,
      `/v1/calibration/${queued.id}`,
    ]);
    expect(queued).toMatchObject({
      status: 'queued',
      experiment: 'shop',
      method: 'fixed',
      alpha: 0.05,
      metrics: KEYS,
      automatic: false,
      progress: 0,
      result: null,
    });
    await database.pool.query(`UPDATE calibrations SET seed = 'fixed'`);
    const workers = [startCalibration(api.deps), startCalibration(api.deps)];
    const status = async () => (await read(api, queued.id)).status;
    await expect.poll(status, { timeout: 25_000 }).toBe('done');
    await Promise.all(workers.map(({ stop }) => stop()));
    const done = await read(api, queued.id);
    expect(done).toMatchObject({
      progress: 1,
      attempts: 1,
      error: null,
      result: { users: 3_000, assigned_users: 3_000, control_share: 0.5 },
    });
    expect(done.result?.metrics.map(({ metric }) => metric)).toEqual(KEYS);
    for (const metric of done.result?.metrics ?? []) {
      expect(metric).toMatchObject({ status: 'ok', users: 3_000, splits: 200, alpha: 0.05 });
      expect(metric.false_positive_rate).toBeLessThanOrEqual(metric.acceptance?.high ?? 0);
      expect(metric.arm_ci_coverage === null).toBe(metric.metric === 'slow');
    }
    const { items } = (await api.call('GET', '/v1/calibration?limit=1')).json();
    expect(items).toEqual([done]);
    const { items: own } = (await api.call('GET', '/v1/calibration?experiment=shop')).json();
    expect(own).toEqual([done]);
  });

  test('reads of its users what the results sum up', async ({ api, database }) => {
    await define(api);
    const id = await startedExperiment(api, 'shop');
    await fill(database, id, 1_200);
    const query = ResultsQuery.parse({ metrics: KEYS.join(','), min_sample: '1' });
    const experiment = await requireExperiment(database.pool, 'shop');
    const uses = await metricsToUse(database.pool, experiment, query);
    const question = await framedQuestion(api.deps, experiment, query, uses, 0.05);
    const plan = userPlanOf(question.metrics, 0.05);
    const rows = await inTransaction(
      database.pool,
      (tx) => readUsers(tx, question, plan, CALIBRATION_LIMITS.read),
      'READ',
    );
    expect(rows.assigned).toBe(1_200);
    const { ids, metrics } = toPopulation(question.metrics, plan, rows);
    const results = (
      await api.call('GET', `/v1/experiments/shop/results?metrics=${KEYS.join(',')}`)
    ).json<Results>();
    for (const [arm, variant] of results.variants.entries()) {
      const isOwn = ids.map((user) => Number(user.slice(1)) % 2 === arm);
      for (const metric of metrics) {
        const shown = variant.metrics[metric.key];
        if (metric.kind === 'quantile') {
          const own = metric.values.filter((_, event) => isOwn[metric.owners[event] ?? -1]);
          const at = (own.length - 1) * metric.p;
          const [low = 0, high = 0] = [own[Math.floor(at)], own[Math.ceil(at)]];
          expect(shown?.value).toBeCloseTo(low + (high - low) * (at % 1), 9);
          continue;
        }
        const width = metric.values.length / ids.length;
        const sum = (column: number) =>
          isOwn.reduce(
            (total, own, user) => total + (own ? (metric.values[user * width + column] ?? 0) : 0),
            0,
          );
        const value = metric.kind === 'ratio' ? sum(0) / sum(1) : sum(0) / variant.assigned_users;
        expect(shown?.value).toBeCloseTo(value, 9);
        expect(value).toBeGreaterThan(0);
      }
    }
  });

  test('looks at no more users and events than it may', async ({ api, database }) => {
    await define(api);
    await fill(database, await startedExperiment(api, 'shop'), 1_000);
    const { id } = await request(api, { metrics: ['slow', 'views'], splits: 100 });
    const read_ = { ...CALIBRATION_LIMITS.read, users: 600, events: 500 };
    await runCalibrations(api.deps, never, { ...CALIBRATION_LIMITS, read: read_ });
    const { result } = await read(api, id);
    expect(result).toMatchObject({ users: 600, assigned_users: 1_000 });
    const [slow, views] = result?.metrics ?? [];
    expect(views?.users).toBe(600);
    // A user has 11 / 7 of these events.
    expect(Math.abs((slow?.users ?? 0) - (500 * 7) / 11)).toBeLessThan(30);
  });

  test('is the same for the same seed, and looks forward to the same plan', async ({
    api,
    database,
  }) => {
    const analysis = { expected_users: 2_400 };
    await fill(database, await startedExperiment(api, 'shop', { analysis }), 1_200);
    const first = await request(api, { metrics: ['events_per_user'], splits: 100 });
    const second = await request(api, { metrics: ['events_per_user'], splits: 100 });
    expect(first).toMatchObject({ method: 'sequential' });
    await database.pool.query('UPDATE calibrations SET seed = $1', ['same']);
    await runCalibrations(api.deps, never);
    const [a, b] = [await read(api, first.id), await read(api, second.id)];
    expect(a.result?.metrics).toEqual(b.result?.metrics);
    // Half way, so next to nothing is spent.
    expect(a.result?.metrics[0]?.false_positive_rate).toBeLessThan(0.03);
  });
});

describe('a request for a calibration', () => {
  test('is refused', async ({ api, database }) => {
    const refusal = async (body: unknown) => {
      const answer = await api.call('POST', '/v1/calibration', body);
      return [
        answer.statusCode,
        answer.json().errors?.map(({ path }: { path: string }) => path) ?? answer.json().code,
      ];
    };
    expect(await refusal({})).toEqual([422, ['experiment']]);
    const id = await startedExperiment(api, 'shop');
    expect(await refusal({})).toEqual([422, ['experiment']]);
    expect(await refusal({ experiment: 'nope' })).toEqual([404, 'experiment_not_found']);
    const shop = { experiment: 'shop' };
    expect(await refusal({ ...shop, metrics: ['nope', 'nada'] })).toEqual([
      422,
      ['metrics', 'metrics'],
    ]);
    expect(await refusal({ ...shop, metrics: ['unique_users'] })).toEqual([422, ['metrics']]);
    expect(await refusal({ ...shop, metrics: [] })).toEqual([422, ['metrics']]);
    expect(await refusal({ ...shop, splits: 99 })).toEqual([422, ['splits']]);
    expect(await refusal({ ...shop, splits: 2_001 })).toEqual([422, ['splits']]);
    expect(await refusal({ ...shop, method: 'vibes' })).toEqual([422, ['method']]);
    expect(await refusal({ ...shop, colour: 'red' })).toEqual([422, ['colour']]);
    const code = async (url: string) => {
      const answer = await api.call('GET', url);
      return [answer.statusCode, answer.json().code];
    };
    expect(await code('/v1/calibration/1')).toEqual([404, 'calibration_not_found']);
    expect(await code('/v1/calibration/x')).toEqual([422, 'invalid']);
    expect(await code('/v1/calibration/99999999999')).toEqual([422, 'invalid']);
    expect(await code('/v1/calibration?experiment=nope')).toEqual([404, 'experiment_not_found']);
    expect(await code('/v1/calibration?cursor=x')).toEqual([422, 'invalid']);
    await fill(database, id, 1_000);
    for (let i = 0; i < 19; i++) await request(api, {});
    const last = [1, 2, 3, 4].map(() => api.call('POST', '/v1/calibration', {}));
    const statuses = (await Promise.all(last)).map(({ statusCode }) => statusCode);
    expect(statuses.toSorted()).toEqual([202, 503, 503, 503]);
    expect(await refusal({})).toEqual([503, 'overloaded']);
  });

  test('is not for everybody', async ({ api }) => {
    await startedExperiment(api, 'shop');
    const status = async (method: 'GET' | 'POST', token: string | null) =>
      (
        await api.call(
          method,
          '/v1/calibration',
          method === 'POST' ? { experiment: 'shop' } : undefined,
          { token },
        )
      ).statusCode;
    expect([await status('GET', null), await status('POST', null)]).toEqual([401, 401]);
    for (const [role, get, post] of [
      ['client', 403, 403],
      ['ingest', 403, 403],
      ['viewer', 200, 403],
      ['editor', 200, 202],
    ] as const) {
      const token = await api.tokenOf(role);
      expect([role, await status('GET', token), await status('POST', token)]).toEqual([
        role,
        get,
        post,
      ]);
    }
  });
});

describe('the calibration of the day', () => {
  test('is of the newest running experiment with users enough, and one', async ({
    api,
    database,
  }) => {
    const list = async () => (await api.call('GET', '/v1/calibration')).json().items;
    await queueDaily(api.deps);
    const older = await startedExperiment(api, 'older');
    const newer = await startedExperiment(api, 'newer');
    await startedExperiment(api, 'small');
    await fill(database, older, 1_000);
    await fill(database, newer, 999);
    await Promise.all(Array.from({ length: 4 }, () => queueDaily(api.deps)));
    expect(await list()).toMatchObject([{ experiment: 'older', automatic: true, splits: 500 }]);
    // A new day, but less than 24 hours later by the database's clock.
    const tomorrow = { ...api.deps, now: () => Date.now() + 86_400_000 };
    await queueDaily(tomorrow);
    expect(await list()).toHaveLength(1);
    await database.pool.query(
      `UPDATE calibrations SET created_at = now() - interval '25 hours', status = 'done'`,
    );
    await queueDaily(api.deps);
    expect(await list()).toHaveLength(1);
    await queueDaily(tomorrow);
    expect(await list()).toHaveLength(2);
    await database.pool.query(`UPDATE calibrations SET created_at = now() - interval '91 days'`);
    await queueDaily(api.deps);
    // Only what is over is forgotten.
    expect(await list()).toMatchObject([{ status: 'queued' }, { status: 'queued' }]);
  });
});

test('a split is as uneven as that of the experiment', () => {
  const share = (control: number, ...treatments: number[]) =>
    controlShare({
      variants: [control, ...treatments].map((allocation, position) => ({
        id: position,
        position,
        key: `v${position}`,
        name: '',
        allocation,
        isControl: position === 0,
        config: {},
      })),
    });
  expect(share(5_000, 5_000)).toBe(0.5);
  expect(share(9_000, 1_000)).toBe(0.9);
  expect(share(8_000, 1_500, 500, 0)).toBe(0.9412);
  expect(share(0, 10_000)).toBe(0.5);
});
