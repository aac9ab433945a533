import { readFileSync } from 'node:fs';
import { ResultsQuery } from '@assay/contract';
import { describe, expect } from 'vitest';
import { startedExperiment, type TestApp } from '../../../../test/app.ts';
import { test } from '../../../../test/fixtures.ts';
import { splitStatements } from '../../../platform/migrate.ts';
import { type Db, inTransaction } from '../../../platform/postgres.ts';
import { requireExperiment } from '../../experiments/service.ts';
import { COUNTS_MAX } from '../question.ts';
import { framedQuestion } from '../service.ts';
import { askPostgres } from '../store-postgres.ts';

/** Users who have something in common, in the two variants. */
interface Group {
  readonly users: readonly [control: number, green: number];
  readonly daysAgo?: number;
  readonly source?: 'hash' | 'reported';
  readonly context?: Record<string, unknown>;
}

/** An experiment with such users; answers its id. */
async function splitExperiment(
  api: TestApp,
  key: string,
  groups: readonly Group[],
  fields: Record<string, unknown> = {},
): Promise<number> {
  const id = await startedExperiment(api, key, fields);
  for (const [index, { users, daysAgo = 0, source = 'hash', context = {} }] of groups.entries()) {
    for (const [position, count] of users.entries()) {
      await api.deps.db.query(
        `INSERT INTO assignments (experiment_id, user_id, variant_id, version, source, bucket, assigned_at, context)
         SELECT $1, $2 || i, v.id, e.version, $3, 0, now() - $4 * interval '1 day' - interval '1 second', $5
         FROM generate_series(1, $6) i, experiments e
         JOIN variants v ON v.experiment_id = e.id AND v.is_control = $7
         WHERE e.id = $1`,
        [id, `${index}-${position}-`, source, daysAgo, context, count, position === 0],
      );
    }
  }
  return id;
}

const everywhere = (users: readonly [number, number], context: Record<string, unknown>): Group[] =>
  [0, 1, 2].map((daysAgo) => ({ users, daysAgo, context }));

describe('the ratio check by itself', () => {
  test('names the country in which the split is off', async ({ api }) => {
    await splitExperiment(api, 'by-country', [
      ...everywhere([400, 405], { country: 'DE', app: 'web' }),
      ...everywhere([250, 150], { country: 'AT', app: 'ios' }),
      ...everywhere([200, 198], { app: 'ios' }),
      ...everywhere([200, 199], { country: 'DE', app: 'ios' }),
    ]);
    const answer = await api.call(
      'GET',
      '/v1/experiments/by-country/srm?segment_by=context.country&segment_by=context.app&source=postgresql',
    );
    expect(answer.statusCode).toBe(200);
    const { srm, metadata, variants } = answer.json();
    expect(variants).toEqual(['control', 'green']);
    expect(metadata).toMatchObject({ source: 'postgresql', lag_ms: 0 });
    expect(srm).toMatchObject({ status: 'alarm', observed: [3_150, 2_856] });
    expect(srm.over_time).toHaveLength(3);
    const [country, app] = srm.by_segment;
    expect(country).toMatchObject({ by: 'context.country', tested: 3 });
    expect(country.items[0]).toMatchObject({
      segment: 'AT',
      status: 'alarm',
      observed: [750, 450],
    });
    expect(country.items.slice(1).map(({ status }: { status: string }) => status)).toEqual([
      'ok',
      'ok',
    ]);
    expect(app).toMatchObject({ by: 'context.app', tested: 2 });
    const { causes, contributions } = srm.root_cause;
    expect(contributions[0]).toMatchObject({
      dimension: 'segment',
      attribute: 'context.country',
      value: 'AT',
      users: 1_200,
      variant: 'control',
    });
    expect(causes[0]).toMatchObject({
      pattern: 'one_segment',
      stages: ['execution', 'logging'],
      place: { attribute: 'context.country', value: 'AT' },
    });
  });

  test('tells what clients reported from what was assigned', async ({ api }) => {
    await splitExperiment(api, 'by-source', [
      { users: [500, 505], source: 'hash' },
      { users: [500, 350], source: 'reported' },
    ]);
    const { srm } = (await api.call('GET', '/v1/experiments/by-source/srm')).json();
    expect(srm.root_cause.causes).toMatchObject([
      { pattern: 'one_source', place: { value: 'reported' } },
    ]);
  });

  test('finds nothing where nothing is off, or nobody is', async ({ api }) => {
    await splitExperiment(api, 'sound', everywhere([100, 102], { country: 'DE' }));
    const sound = (
      await api.call('GET', '/v1/experiments/sound/srm?segment_by=context.country')
    ).json();
    expect(sound.srm).toMatchObject({ status: 'ok', sequential: { status: 'ok' } });
    expect(sound.srm.root_cause.causes).toEqual([]);
    await startedExperiment(api, 'nobody');
    const nobody = (await api.call('GET', '/v1/experiments/nobody/srm')).json();
    expect(nobody.srm).toMatchObject({
      status: 'not_enough_data',
      observed: [0, 0],
      by_segment: [],
      root_cause: { contributions: [], causes: [] },
    });
  });

  test('refuses an attribute of as many values as users', async ({ api }) => {
    const id = await startedExperiment(api, 'by-id');
    await api.deps.db.query(
      `INSERT INTO assignments (experiment_id, user_id, variant_id, version, source, bucket, assigned_at, context)
       SELECT $1, i::text, min(v.id), 1, 'hash', 0, now() - interval '1 second', json_build_object('id', 'i' || i)
       FROM generate_series(1, 20000) i, variants v WHERE v.experiment_id = $1 GROUP BY i`,
      [id],
    );
    const answer = await api.call('GET', '/v1/experiments/by-id/srm?segment_by=context.id');
    expect([answer.statusCode, answer.json().code]).toEqual([422, 'invalid']);
    expect(answer.json().errors[0].path).toBe('segment_by.0');
    const experiment = await requireExperiment(api.deps.db, 'by-id');
    const query = ResultsQuery.parse({ segment_by: 'context.id' });
    const question = await framedQuestion(api.deps, experiment, query, [], 0.05);
    const ask = (tx: Db) => askPostgres(tx, question);
    const { versions } = await inTransaction(api.deps.db, ask, 'READ');
    expect(versions.length).toBe(COUNTS_MAX + 1);
    const results = await api.call('GET', '/v1/experiments/by-id/results?segment_by=context.id');
    expect(results.json().errors[0].path).toBe('segment_by');
  });

  const wrong: [string, string][] = [
    ['segment_by=country', 'segment_by.0'],
    ['segment_by=context.a&segment_by=context.a', 'segment_by'],
    [[1, 2, 3, 4, 5, 6].map((name) => `segment_by=context.${name}`).join('&'), 'segment_by'],
    ['source=redis', 'source'],
    ['colour=red', 'colour'],
  ];
  test.for(wrong)('refuses ?%s', async ([parameters, path], { api }) => {
    await startedExperiment(api, 'asked');
    const answer = await api.call('GET', `/v1/experiments/asked/srm?${parameters}`);
    expect([answer.statusCode, answer.json().code]).toEqual([422, 'invalid']);
    expect(answer.json().errors.map((error: { path: string }) => error.path)).toContain(path);
  });

  test('is for viewers, of experiments that exist', async ({ api }) => {
    await startedExperiment(api, 'seen');
    const status = async (url: string, role: 'client' | 'viewer') =>
      (await api.call('GET', url, undefined, { token: await api.tokenOf(role) })).statusCode;
    expect(await status('/v1/experiments/seen/srm', 'viewer')).toBe(200);
    expect(await status('/v1/experiments/seen/srm', 'client')).toBe(403);
    expect(await status('/v1/experiments/unseen/srm', 'viewer')).toBe(404);
  });
});

describe('the health of results', () => {
  test('forbids a winner where the split is off, and says where', async ({ api }) => {
    await splitExperiment(api, 'off', [
      { users: [500, 505], daysAgo: 2 },
      { users: [500, 250], daysAgo: 1 },
      { users: [500, 498], daysAgo: 0 },
    ]);
    const { summary } = (await api.call('GET', '/v1/experiments/off/results')).json();
    expect(summary).toMatchObject({ winning_variant: null, recommendation: 'discuss' });
    const { health } = summary;
    expect(health.status).toBe('alarm');
    expect(health.checks[0]).toMatchObject({ check: 'srm', status: 'alarm' });
    expect(health.srm.root_cause.causes).toMatchObject([{ pattern: 'one_day' }]);
    expect(health.missing_events).toEqual(['conversion_rate']);
  });

  test('looks into segments when results do', async ({ api }) => {
    await splitExperiment(api, 'cut', [
      { users: [300, 200], context: { country: 'DE' } },
      { users: [200, 300], context: { country: 'AT' } },
    ]);
    const { summary } = (
      await api.call('GET', '/v1/experiments/cut/results?segment_by=context.country')
    ).json();
    expect(summary.health.srm.status).toBe('ok');
    expect(summary.health.srm.by_segment[0].items).toHaveLength(2);
    expect(
      summary.health.checks.find(({ check }: { check: string }) => check === 'srm_segments'),
    ).toMatchObject({ status: 'alarm' });
  });

  test('counts conflicts among the users that are counted', async ({ api }) => {
    const id = await splitExperiment(api, 'reported', [
      { users: [40, 40], context: { country: 'DE' } },
      { users: [10, 10], context: { country: 'AT' }, daysAgo: 2 },
    ]);
    const conflict = (users: string, daysAgo: number) =>
      api.deps.db.query(
        `INSERT INTO assignment_conflicts
         SELECT $1, user_id, 1, 2, 'another_variant', now() - $3 * interval '1 day'
         FROM assignments WHERE experiment_id = $1 AND user_id LIKE $2`,
        [id, users, daysAgo],
      );
    await conflict('0-%', 0);
    await conflict('1-0-%', 1.5);
    await api.deps.db.query(
      `INSERT INTO assignment_conflicts
       SELECT $1, 'never' || i, 1, NULL, 'never_given', now() FROM generate_series(1, 20) i`,
      [id],
    );
    const conflictsOf = async (parameters: string) => {
      const url = `/v1/experiments/reported/results?${parameters}`;
      const { health } = (await api.call('GET', url)).json().summary;
      const { message } = health.checks.find(
        ({ check }: { check: string }) => check === 'conflicts',
      );
      return [health.conflicts, /\((.*)\)/.exec(message)?.[1]];
    };
    const filters = (country: string) =>
      `filters=${encodeURIComponent(JSON.stringify({ 'context.country': country }))}`;
    const daysAgo = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString();
    expect(await conflictsOf('')).toEqual([110, '92 %']);
    expect(await conflictsOf(filters('DE'))).toEqual([80, '100 %']);
    expect(await conflictsOf(filters('AT'))).toEqual([10, '50 %']);
    expect(await conflictsOf(`end_date=${daysAgo(1)}&start_date=${daysAgo(3)}`)).toEqual([
      10,
      '50 %',
    ]);
    expect(await conflictsOf(`end_date=${daysAgo(1.8)}&start_date=${daysAgo(3)}`)).toEqual([
      0,
      undefined,
    ]);
  });
});

test('a plan that is changed after the start is told', async ({ api }) => {
  const id = await startedExperiment(api, 'moved', {
    metrics: [{ metric: 'conversion_rate' }],
    analysis: { expected_users: 1_000 },
  });
  const edit = async (body: object) =>
    expect((await api.call('PATCH', `/v1/experiments/${id}`, body)).statusCode).toBe(200);
  const told = async () =>
    (await api.call('GET', `/v1/experiments/${id}/results?source=postgresql`)).json().summary
      .health;
  await edit({ name: 'another' });
  await edit({
    metrics: [{ metric: 'conversion_rate' }, { metric: 'avg_value', role: 'secondary' }],
  });
  expect((await told()).plan_changes).toEqual([]);
  await edit({ analysis: { expected_users: 5_000 }, metrics: [{ metric: 'avg_value' }] });
  const { plan_changes, checks } = await told();
  expect(plan_changes).toMatchObject([
    { field: 'analysis.expected_users', version: 5 },
    { field: 'metrics', version: 5 },
  ]);
  const check = checks.find((one: { check: string }) => one.check === 'plan_changed');
  expect(check).toMatchObject({ status: 'warning' });
  expect(check.message).toContain('analysis.expected_users, metrics');
});

test('a plan from before plans were kept is the one that stood then', async ({ api }) => {
  const id = await startedExperiment(api, 'old', {
    metrics: [{ metric: 'conversion_rate' }, { metric: 'avg_value', role: 'secondary' }],
    analysis: { expected_users: 1_000 },
    ends_at: '2999-01-01T00:00:00+02:00',
  });
  const told = async () => {
    const url = `/v1/experiments/${id}/results?source=postgresql`;
    const { health } = (await api.call('GET', url)).json().summary;
    const [check] = health.checks.filter((one: { check: string }) => one.check === 'plan_changed');
    return [health.plan_changes.map((change: { field: string }) => change.field), check.message];
  };
  await api.deps.db.query('UPDATE experiment_versions SET plan = NULL');
  expect(await told()).toEqual([
    [],
    'No change of the plan is known; its first versions were not kept.',
  ]);
  const file = new URL('../../../../migrations/postgres/0008_present_plans.sql', import.meta.url);
  const [fill = ''] = splitStatements(readFileSync(file, 'utf8'));
  await api.deps.db.query(fill);
  await api.call('PATCH', `/v1/experiments/${id}`, { name: 'renamed' });
  expect(await told()).toEqual([[], expect.stringContaining('are those of the start')]);
  await api.call('PATCH', `/v1/experiments/${id}`, { analysis: { expected_users: 5_000 } });
  expect(await told()).toEqual([['analysis.expected_users'], expect.any(String)]);
});

test('a goal that gets another meaning after the start is told', async ({ api }) => {
  const define = (body: object, key?: string) =>
    api.call(key === undefined ? 'POST' : 'PATCH', `/v1/metrics${key ? `/${key}` : ''}`, body);
  await define({ key: 'buys', name: 'Buys', kind: 'count', event_type: 'buy' });
  const id = await startedExperiment(api, 'goal', { metrics: [{ metric: 'buys' }] });
  const changes = async () => {
    const url = `/v1/experiments/${id}/results?source=postgresql`;
    return (await api.call('GET', url)).json().summary.health.plan_changes;
  };
  await define({ name: 'Purchases' }, 'buys');
  expect(await changes()).toEqual([]);
  const told = { field: 'metrics', metric: 'buys', version: 2 };
  const { updated_at } = (await define({ direction: 'decrease' }, 'buys')).json();
  await define({ description: 'of anything' }, 'buys');
  expect(await changes()).toEqual([{ ...told, time: updated_at }]);
  // Taken back, it was still different in between.
  await define({ direction: 'increase' }, 'buys');
  expect(await changes()).toMatchObject([told, told]);
});

test('an archived experiment keeps the meaning of its metrics, whatever becomes of them', async ({
  api,
}) => {
  const metric = { key: 'buys', name: 'Buys', kind: 'count', event_type: 'buy' };
  await api.call('POST', '/v1/metrics', metric);
  const id = await startedExperiment(api, 'past', { metrics: [{ metric: 'buys' }] });
  for (const action of ['stop', 'archive'])
    await api.call('POST', `/v1/experiments/${id}/${action}`);
  const versions = async () => {
    const answer = await api.call('GET', `/v1/experiments/${id}/results?source=postgresql`);
    expect(answer.statusCode).toBe(200);
    return answer.json().metadata.metrics;
  };
  expect((await api.call('DELETE', '/v1/metrics/buys')).statusCode).toBe(204);
  expect(await versions()).toMatchObject([{ key: 'buys', version: 1 }]);
  await api.call('POST', '/v1/metrics', { ...metric, kind: 'conversion', event_type: 'other' });
  expect(await versions()).toMatchObject([{ key: 'buys', version: 1 }]);
});

test('a metric that becomes a goal later is told of from then on', async ({ api }) => {
  const id = await startedExperiment(api, 'later', { metrics: [{ metric: 'conversion_rate' }] });
  const metric = { key: 'pays', name: 'Pays', kind: 'count', event_type: 'pay' };
  await api.call('POST', '/v1/metrics', metric);
  await api.call('PATCH', '/v1/metrics/pays', { kind: 'conversion' });
  const metrics = [{ metric: 'conversion_rate' }, { metric: 'pays', role: 'guardrail' }];
  await api.call('PATCH', `/v1/experiments/${id}`, { metrics });
  await api.call('PATCH', '/v1/metrics/pays', { direction: 'decrease' });
  const url = `/v1/experiments/${id}/results?source=postgresql`;
  expect((await api.call('GET', url)).json().summary.health.plan_changes).toMatchObject([
    { field: 'metrics', version: 3 },
    { field: 'metrics', metric: 'pays', version: 3 },
  ]);
});
