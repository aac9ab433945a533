import type { Snapshot } from '@assay/contract';
import { describe, expect } from 'vitest';
import { startedExperiment } from '../../../test/app.ts';
import { test } from '../../../test/fixtures.ts';
import {
  addMetrics,
  EVERYTHING,
  hash,
  minutesAgo,
  take,
  world,
} from '../../../test/result-snapshots.ts';
import { BUNDLE_FORMAT } from './bundle.ts';

describe('snapshots', () => {
  test('hold what results answered, and what it was made of', async ({ api }) => {
    await world(api);
    const query = { event_type: 'buy', min_sample: 10, end_date: minutesAgo(0) };
    const taken = await take(api, { ...query, name: 'before the holidays' });
    expect(taken).toMatchObject({
      experiment_id: taken.result.experiment_id,
      name: 'before the holidays',
      engine_version: expect.stringMatching(/^\d+\.\d+\.\d+$/),
      source: 'postgresql',
    });
    expect(taken.created_by).toMatch(/\(token \d+\)$/);
    const { as_of, query_ms, ...metadata } = taken.result.metadata as Record<string, unknown>;
    expect(taken.as_of).toBe(as_of);
    expect(query_ms).toEqual(expect.any(Number));
    const now = (
      await api.call(
        'GET',
        `/v1/experiments/stored/results?source=postgresql&event_type=buy&min_sample=10&end_date=${query.end_date}`,
      )
    ).json();
    // Asked at two moments, of which the health says something too.
    const timeless = (result: unknown, time: unknown): unknown =>
      JSON.parse(JSON.stringify(result).replaceAll(String(time), 'then'));
    expect(timeless({ ...taken.result, metadata }, as_of)).toEqual(
      timeless(
        { ...now, metadata: { ...metadata, start_date: now.metadata.start_date } },
        now.metadata.as_of,
      ),
    );

    const url = `/v1/experiments/stored/snapshots/${taken.id}`;
    expect((await api.call('GET', url)).json()).toEqual(taken);
    const { bundle, ...rest } = (await api.call('GET', `${url}?include=bundle`)).json();
    expect(rest).toEqual(taken);
    expect([hash(JSON.stringify(bundle)), hash(JSON.stringify(rest.result))]).toEqual([
      taken.sha256.bundle,
      taken.sha256.result,
    ]);
    expect(bundle).toMatchObject({
      format: BUNDLE_FORMAT,
      engineVersion: taken.engine_version,
      experiment: { key: 'stored', variants: [{ key: 'control' }, { key: 'green' }] },
      versions: [{ version: expect.any(Number) }],
      uses: [{ metric: { key: 'conversion_rate', version: null, kind: 'rate' } }, {}],
      question: { eventTypes: ['buy'] },
      options: { method: 'sequential', minSample: 10 },
      sourced: { source: 'postgresql', asOf: taken.as_of, lagMs: 0 },
      queryMs: query_ms,
    });
    expect(bundle.sourced.answer.arms).toContainEqual({
      metric: 'conversion_rate',
      variantId: bundle.experiment.variants[1].id,
      data: { kind: 'rate', n: 30, x: 15, joint: null },
    });
  });

  test('hold definitions as they were, with their versions', async ({ api }) => {
    await addMetrics(api);
    const change = { value_property: 'total', cap: { value: 5 }, direction: 'decrease' };
    expect((await api.call('PATCH', '/v1/metrics/spent', change)).statusCode).toBe(200);
    await world(api);
    const { id } = await take(api, { metrics: ['spent', 'path'] });
    const url = `/v1/experiments/stored/snapshots/${id}?include=bundle`;
    const [spent, path] = (await api.call('GET', url)).json().bundle.uses;
    const measure = { filters: [], property: null, fromHours: null, toHours: null };
    expect(spent.metric).toEqual({
      key: 'spent',
      version: 2,
      direction: 'decrease',
      kind: 'mean',
      measure: { ...measure, types: ['buy'], aggregate: 'sum', property: 'total' },
      cap: { kind: 'value', value: 5 },
      cupedDays: null,
      isTotal: false,
    });
    expect(path.metric).toEqual({
      key: 'path',
      version: 1,
      direction: 'increase',
      kind: 'funnel',
      steps: [
        { ...measure, types: ['view'], aggregate: 'any' },
        { ...measure, types: ['buy'], aggregate: 'any' },
      ],
    });
  });

  test('hold statements that can be run as they are, and no ids of users', async ({ api }) => {
    await addMetrics(api);
    await world(api);
    const { id } = await take(api, EVERYTHING);
    const url = `/v1/experiments/stored/snapshots/${id}?include=bundle`;
    const { body } = await api.call('GET', url);
    expect(body).not.toMatch(/"u\d+"/);
    const { statements, answer } = JSON.parse(body).bundle.sourced;
    // Sums, quantiles, funnels, series by day and by age.
    expect(statements).toHaveLength(5);
    const { rows } = await api.deps.db.query<{ sums: object[]; assigned: object[] }>(
      statements[0].sql,
      statements[0].parameters,
    );
    expect(rows[0]?.sums).toHaveLength(answer.users.length);
    expect(rows[0]?.assigned).toEqual(answer.assigned);
  });

  test('are listed, and deleted with a trace', async ({ api }) => {
    await world(api);
    const names = ['one', 'two', 'three'];
    const taken: Snapshot[] = [];
    for (const name of names) taken.push(await take(api, { name }));
    const url = '/v1/experiments/stored/snapshots';
    const first = (await api.call('GET', `${url}?limit=2`)).json();
    const { result, ...summary } = taken[2] as Snapshot;
    expect(first.items[0]).toEqual(summary);
    const rest = (await api.call('GET', `${url}?limit=2&cursor=${first.next_cursor}`)).json();
    const listed = [...first.items, ...rest.items].map(({ name }: { name: string }) => name);
    expect(listed).toEqual(names.toReversed());
    expect(rest.next_cursor).toBeNull();

    const gone = `${url}/${taken[1]?.id}`;
    expect((await api.call('DELETE', gone)).statusCode).toBe(204);
    for (const [method, path] of [
      ['GET', gone],
      ['DELETE', gone],
      ['GET', `${gone}/reproduce`],
    ] as const) {
      const answer = await api.call(method, path);
      expect([answer.statusCode, answer.json().code]).toEqual([404, 'snapshot_not_found']);
    }
    const { items } = (await api.call('GET', '/v1/experiments/stored/history')).json();
    expect(items.slice(0, 2)).toMatchObject([
      { action: 'snapshot.deleted', before: { name: 'two' }, after: null },
      { action: 'snapshot.created', before: null, after: { name: 'three' } },
    ]);
    expect(JSON.stringify(items[0])).not.toContain('bundle":{');
  });

  test('are for those to whom results are, and made by editors', async ({ api }) => {
    await world(api);
    const { id } = await take(api);
    const url = '/v1/experiments/stored/snapshots';
    const viewer = { token: await api.tokenOf('viewer') };
    const editor = { token: await api.tokenOf('editor') };
    const client = { token: await api.tokenOf('client') };
    for (const path of [url, `${url}/${id}`, `${url}/${id}/reproduce`]) {
      expect((await api.call('GET', path, undefined, viewer)).statusCode).toBe(200);
      expect((await api.call('GET', path, undefined, client)).statusCode).toBe(403);
    }
    expect((await api.call('POST', url, { name: 'x' }, viewer)).statusCode).toBe(403);
    expect((await api.call('DELETE', `${url}/${id}`, undefined, viewer)).statusCode).toBe(403);
    expect((await api.call('POST', url, { name: 'x' }, editor)).statusCode).toBe(201);
    expect((await api.call('DELETE', `${url}/${id}`, undefined, editor)).statusCode).toBe(204);
  });

  test('belong to their experiment', async ({ api }) => {
    await world(api);
    await startedExperiment(api, 'other');
    const { id } = await take(api);
    const answer = await api.call('GET', `/v1/experiments/other/snapshots/${id}`);
    expect([answer.statusCode, answer.json().code]).toEqual([404, 'snapshot_not_found']);
    const missing = await api.call('GET', `/v1/experiments/nope/snapshots/${id}`);
    expect([missing.statusCode, missing.json().code]).toEqual([404, 'experiment_not_found']);
  });

  test('are at most a thousand of an experiment', async ({ api }) => {
    await world(api);
    await take(api);
    await api.deps.db.query(
      `INSERT INTO result_snapshots (experiment_id, name, created_by, engine_version, source, as_of,
         bundle, result, bundle_sha256, result_sha256)
       SELECT experiment_id, name, created_by, engine_version, source, as_of, '{}', '{}', '', ''
       FROM result_snapshots, generate_series(1, 998)`,
    );
    const url = '/v1/experiments/stored/snapshots';
    const answers = await Promise.all(
      [1, 2, 3].map((n) => api.call('POST', url, { name: `look ${n}` })),
    );
    expect(answers.map(({ statusCode }) => statusCode).sort()).toEqual([201, 409, 409]);
    const refused = answers.find(({ statusCode }) => statusCode === 409);
    expect(refused?.json().code).toBe('too_many_snapshots');
  });

  test('that would be too large say what to narrow', async ({ api }) => {
    const id = await startedExperiment(api, 'stored');
    await api.deps.db.query(
      `INSERT INTO assignments (experiment_id, user_id, variant_id, version, source, bucket, assigned_at)
       SELECT $1, v.key, v.id, 1, 'hash', 0, now() - interval '60 days'
       FROM variants v WHERE v.experiment_id = $1`,
      [id],
    );
    await api.deps.db.query(
      `INSERT INTO events (event_id, ts, user_id, type, properties)
       SELECT gen_random_uuid(), now() - h * interval '1 hour', u, 'type ' || t, '{}'
       FROM generate_series(1, 1400) h, generate_series(1, 15) t,
         (SELECT key AS u FROM variants WHERE experiment_id = $1) AS users`,
      [id],
    );
    const url = '/v1/experiments/stored/snapshots';
    const body = { name: 'large', start_date: minutesAgo(60 * 24 * 60) };
    const answer = await api.call('POST', url, { ...body, granularity: 'hour' });
    expect([answer.statusCode, answer.json().code]).toEqual([422, 'invalid']);
    expect(answer.json().errors).toEqual([
      {
        path: 'granularity',
        message: expect.stringMatching(/^makes a snapshot of \d+\.\d MiB, .*coarser/),
      },
    ]);
    expect((await api.call('POST', url, { ...body, granularity: 'day' })).statusCode).toBe(201);
  });

  const wrong: [object, string][] = [
    [{}, 'name'],
    [{ name: '' }, 'name'],
    [{ name: 'x', colour: 'red' }, 'colour'],
    [{ name: 'x', format: 'csv' }, 'format'],
    [{ name: 'x', metrics: ['nope'] }, 'metrics'],
    [{ name: 'x', min_sample: '10' }, 'min_sample'],
    [{ name: 'x', include_ci: 'true' }, 'include_ci'],
    [{ name: 'x', filters: { plan: 'pro' } }, 'filters.plan'],
    [{ name: 'x', series: ['weekly'] }, 'series.0'],
    [
      { name: 'x', start_date: '2026-02-01T00:00:00Z', end_date: '2026-01-01T00:00:00Z' },
      'end_date',
    ],
  ];
  test.for(wrong)('refuse %j', async ([body, path], { api }) => {
    await startedExperiment(api, 'asked');
    const answer = await api.call('POST', '/v1/experiments/asked/snapshots', body);
    expect([answer.statusCode, answer.json().code]).toEqual([422, 'invalid']);
    expect(answer.json().errors.map((error: { path: string }) => error.path)).toContain(path);
  });
});
