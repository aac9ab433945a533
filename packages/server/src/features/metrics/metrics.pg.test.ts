import { readFile } from 'node:fs/promises';
import type { Metric, MetricVersion } from '@assay/contract';
import { describe, expect } from 'vitest';
import type { TestApp } from '../../../test/app.ts';
import { test } from '../../../test/fixtures.ts';
import { metricsNamed } from './service-names.ts';

const URL_OF_ALL = '/v1/metrics';
const RATE = { key: 'purchase_rate', kind: 'conversion', event_type: 'purchase' };
const REVENUE = {
  key: 'revenue',
  name: 'Revenue per user',
  kind: 'sum',
  event_type: 'purchase',
  filters: { 'properties.plan': ['pro', 'team'], 'properties.a/b': null },
  value_property: 'net',
  window: { from_hours: 0, to_hours: 168 },
  cap: { percentile: 99.9 },
  cuped: { days: 14 },
};
const draftOf = (key: string, ...metrics: string[]) => ({
  key,
  name: key,
  variants: [
    { key: 'control', allocation_pct: 50, is_control: true },
    { key: 'green', allocation_pct: 50 },
  ],
  metrics: metrics.map((metric) => ({ metric })),
});

async function created({ call }: TestApp, ...metrics: object[]): Promise<Metric[]> {
  const answers = [];
  for (const metric of metrics) answers.push(await call('POST', URL_OF_ALL, metric));
  expect(answers.map(({ statusCode }) => statusCode)).toEqual(metrics.map(() => 201));
  return answers.map((answer) => answer.json<Metric>());
}

describe('a metric', () => {
  test('is created with its defaults, and read by id and by key', async ({ api }) => {
    const answer = await api.call('POST', URL_OF_ALL, RATE);
    expect([answer.statusCode, answer.headers.etag, answer.headers.location]).toEqual([
      201,
      '"1"',
      '/v1/metrics/purchase_rate',
    ]);
    const metric = answer.json<Metric>();
    expect(metric).toEqual({
      ...RATE,
      id: expect.any(Number),
      version: 1,
      name: 'purchase_rate',
      description: '',
      direction: 'increase',
      created_at: expect.stringMatching(/Z$/),
      updated_at: metric.created_at,
    });
    for (const ref of ['purchase_rate', String(metric.id)]) {
      const read = await api.call('GET', `/v1/metrics/${ref}`);
      expect([read.json(), read.headers.etag]).toEqual([metric, '"1"']);
    }
    const [revenue] = await created(api, REVENUE);
    expect(revenue).toMatchObject(REVENUE);
  });

  test('has a key of its own, and none of the built-in ones', async ({ api }) => {
    await created(api, RATE);
    for (const key of ['purchase_rate', 'avg_value']) {
      const refused = await api.call('POST', URL_OF_ALL, { ...RATE, key });
      expect(refused.json()).toMatchObject({
        status: 409,
        code: 'key_taken',
        errors: [{ path: 'key' }],
      });
    }
    const both = await Promise.all(
      [1, 2].map(() => api.call('POST', URL_OF_ALL, { ...RATE, key: 'twin' })),
    );
    expect(both.map(({ statusCode }) => statusCode).sort()).toEqual([201, 409]);
  });

  test('that is none is refused by field', async ({ api }) => {
    const paths = async (fields: object) => {
      const answer = await api.call('POST', URL_OF_ALL, { key: 'm', ...fields });
      return [answer.json().code, answer.json().errors?.map((e: { path: string }) => e.path)];
    };
    expect(await paths({ kind: 'ratio', quantile: 0.5 })).toEqual([
      'invalid',
      ['event_type', 'denominator', 'quantile'],
    ]);
    const steps = [{ event_type: 'a' }, { event_type: 'a', filters: { 'context.x': 1 } }];
    expect(await paths({ kind: 'funnel', steps })).toEqual([
      'invalid',
      ['steps.1.filters.context.x'],
    ]);
    expect(await paths({ ...RATE, key: 'm', unit: 's' })).toEqual(['invalid', ['unit']]);
    for (const ref of ['nothing', '999999999', '9999999999']) {
      const missing = await api.call('GET', `/v1/metrics/${ref}`);
      expect([missing.statusCode, missing.json().code]).toEqual([404, 'metric_not_found']);
    }
  });

  test('is listed page by page, and by a part of its key or name', async ({ api }) => {
    await created(api, RATE, REVENUE, { ...RATE, key: 'visits', kind: 'count' });
    const list = async (query: string) => {
      const { items, next_cursor } = (await api.call('GET', `${URL_OF_ALL}?${query}`)).json();
      return [items.map(({ key }: Metric) => key), next_cursor];
    };
    const [keys, cursor] = await list('limit=2');
    expect(keys).toEqual(['visits', 'revenue']);
    expect(await list(`cursor=${cursor}`)).toEqual([['purchase_rate'], null]);
    expect(await list('query=PER%20user')).toEqual([['revenue'], null]);
    expect(await list('query=rate')).toEqual([['purchase_rate'], null]);
  });

  test('is read by viewers, changed by editors, and nothing to clients', async ({ api }) => {
    await created(api, RATE);
    const statuses = async (role: 'client' | 'viewer' | 'editor') => {
      const token = await api.tokenOf(role);
      const ask = async (method: 'GET' | 'POST' | 'PATCH' | 'DELETE', url: string, body?: object) =>
        (await api.call(method, url, body, { token })).statusCode;
      return [
        await ask('GET', URL_OF_ALL),
        await ask('GET', '/v1/metrics/purchase_rate'),
        await ask('GET', '/v1/metrics/purchase_rate/versions'),
        await ask('POST', URL_OF_ALL, REVENUE),
        await ask('PATCH', '/v1/metrics/purchase_rate', { name: role }),
        await ask('DELETE', '/v1/metrics/purchase_rate'),
      ];
    };
    expect(await statuses('client')).toEqual([403, 403, 403, 403, 403, 403]);
    expect(await statuses('viewer')).toEqual([200, 200, 200, 403, 403, 403]);
    expect(await statuses('editor')).toEqual([200, 200, 200, 201, 200, 204]);
  });
});

describe('a change of a metric', () => {
  const url = '/v1/metrics/revenue';

  test('makes a version, leaves the rest, and the versions before it as they were', async ({
    api,
  }) => {
    const [first] = await created(api, REVENUE);
    const patch = { cap: null, filters: { 'properties.plan': 'pro' }, window: { to_hours: 24 } };
    const answer = await api.call('PATCH', url, patch);
    expect(answer.headers.etag).toBe('"2"');
    const second = answer.json<Metric>();
    const { cap: _, ...kept } = REVENUE;
    expect(second).toEqual({
      ...first,
      ...kept,
      filters: patch.filters,
      window: { from_hours: 0, to_hours: 24 },
      cap: undefined,
      version: 2,
      updated_at: second.updated_at,
    });
    const { items } = (await api.call('GET', `${url}/versions`)).json();
    const shown = ({ id: _id, created_at: _at, updated_at, ...definition }: Metric) => ({
      ...definition,
      created_at: updated_at,
    });
    expect(items).toEqual([second, first].map((metric) => metric && shown(metric)));
    const { items: newest, next_cursor } = (
      await api.call('GET', `${url}/versions?limit=1`)
    ).json();
    const rest = await api.call('GET', `${url}/versions?cursor=${next_cursor}`);
    expect([...newest, ...rest.json().items]).toEqual(items);
  });

  test('that changes nothing makes no version', async ({ api }) => {
    const [metric] = await created(api, REVENUE);
    for (const patch of [{}, { name: REVENUE.name, cap: REVENUE.cap }, { quantile: null }]) {
      const answer = await api.call('PATCH', url, patch);
      expect([answer.json(), answer.headers.etag]).toEqual([metric, '"1"']);
    }
    expect((await api.call('GET', `${url}/versions`)).json().items).toHaveLength(1);
  });

  test('is checked with what it leaves, as a new metric would be', async ({ api }) => {
    await created(api, REVENUE);
    const refused = await api.call('PATCH', url, { kind: 'ratio', event_type: null });
    expect(refused.json()).toMatchObject({
      status: 422,
      code: 'invalid',
      detail: 'event_type: is needed for a metric of kind ratio',
      errors: [{ path: 'event_type' }, { path: 'denominator' }],
    });
    const whole = { kind: 'ratio', denominator: { event_type: 'visit' } };
    expect((await api.call('PATCH', url, whole)).json()).toMatchObject({ ...whole, version: 2 });
    const key = await api.call('PATCH', url, { key: 'other' });
    expect(key.json()).toMatchObject({ code: 'invalid', errors: [{ path: 'key' }] });
  });

  test('is made to the version that the caller has seen, and audited with it', async ({
    api,
    database,
  }) => {
    await created(api, REVENUE);
    const ask = async (method: 'PATCH' | 'DELETE', tag: string, body?: object) => {
      const answer = await api.call(method, url, body, { headers: { 'if-match': tag } });
      return answer.statusCode;
    };
    expect(await ask('PATCH', '"1"', { name: 'A' })).toBe(200);
    expect(await ask('PATCH', '"1"', { name: 'A' })).toBe(412);
    expect(await ask('DELETE', 'W/"1"')).toBe(412);
    const both = await Promise.all(['B', 'C'].map((name) => ask('PATCH', '"2"', { name })));
    expect(both.sort()).toEqual([200, 412]);
    expect(await ask('DELETE', '"3", "9"')).toBe(204);
    const { rows } = await database.pool.query(
      `SELECT action, before->'version' AS before, after->'version' AS after, actor
       FROM audit_log WHERE resource_type = 'metric' ORDER BY id`,
    );
    const actor = expect.stringContaining('environment');
    expect(rows).toEqual([
      { action: 'metric.created', before: null, after: 1, actor },
      { action: 'metric.updated', before: 1, after: 2, actor },
      { action: 'metric.updated', before: 2, after: 3, actor },
      { action: 'metric.deleted', before: 3, after: null, actor },
    ]);
  });

  test('is not made when its history cannot be written', async ({ api, database }) => {
    const [metric] = await created(api, REVENUE);
    await database.pool.query('ALTER TABLE audit_log ADD CHECK (false) NOT VALID');
    expect((await api.call('PATCH', url, { name: 'New' })).statusCode).toBe(500);
    expect((await api.call('DELETE', url)).statusCode).toBe(500);
    expect((await api.call('POST', URL_OF_ALL, RATE)).statusCode).toBe(500);
    expect((await api.call('GET', URL_OF_ALL)).json().items).toEqual([metric]);
    expect((await api.call('GET', `${url}/versions`)).json().items).toHaveLength(1);
  });
});

describe('a deleted metric', () => {
  test('keeps its versions, and a new one with its key goes on counting them', async ({ api }) => {
    const [first] = await created(api, RATE);
    expect((await api.call('DELETE', '/v1/metrics/purchase_rate')).statusCode).toBe(204);
    expect((await api.call('GET', URL_OF_ALL)).json().items).toEqual([]);
    for (const method of ['GET', 'PATCH', 'DELETE'] as const) {
      const body = method === 'PATCH' ? { name: 'N' } : undefined;
      const missing = await api.call(method, `/v1/metrics/${first?.id}`, body);
      expect(missing.json().code).toBe('metric_not_found');
    }
    const versions = async () => {
      const answer = await api.call('GET', '/v1/metrics/purchase_rate/versions');
      return answer.json().items.map(({ version, kind }: MetricVersion) => [version, kind]);
    };
    expect(await versions()).toEqual([[1, 'conversion']]);
    const [again] = await created(api, { ...RATE, kind: 'count' });
    expect(again).toMatchObject({ id: first?.id, version: 2, kind: 'count' });
    expect(await versions()).toEqual([
      [2, 'count'],
      [1, 'conversion'],
    ]);
  });

  test('is one that no experiment uses but archived ones', async ({ api }) => {
    await created(api, RATE, REVENUE);
    const remove = () => api.call('DELETE', '/v1/metrics/purchase_rate');
    for (const key of ['b', 'a', 'old']) {
      await api.call('POST', '/v1/experiments', draftOf(key, 'avg_value', 'purchase_rate'));
    }
    await api.call('POST', '/v1/experiments', draftOf('other', 'revenue'));
    await api.call('POST', '/v1/experiments/old/archive');
    const refused = await remove();
    expect(refused.json()).toMatchObject({
      status: 409,
      code: 'metric_in_use',
      detail: '"purchase_rate" is used by a, b',
    });
    await api.call('PATCH', '/v1/experiments/a', { metrics: [] });
    await api.call('DELETE', '/v1/experiments/b');
    expect((await remove()).statusCode).toBe(204);
    const clone = await api.call('POST', '/v1/experiments/old/clone', { key: 'copy' });
    expect(clone.json()).toMatchObject({ code: 'invalid', errors: [{ path: 'metrics.1.metric' }] });
  });

  test('is not one that an experiment takes at that moment', async ({ api }) => {
    for (let round = 0; round < 10; round += 1) {
      const key = `m${round}`;
      await created(api, { ...RATE, key });
      const [taken, removed] = await Promise.all([
        api.call('POST', '/v1/experiments', draftOf(`e${round}`, key)),
        api.call('DELETE', `/v1/metrics/${key}`),
      ]);
      expect([
        [201, 409],
        [422, 204],
      ]).toContainEqual([taken.statusCode, removed.statusCode]);
    }
  });
});

describe('the metrics of an experiment', () => {
  test('exist when it is made and when they change', async ({ api }) => {
    await created(api, RATE);
    const refusal = {
      status: 422,
      code: 'invalid',
      errors: [
        { path: 'metrics.1.metric', message: expect.stringContaining('"purchase_rat" is not') },
        { path: 'metrics.3.metric', message: expect.stringContaining('POST /v1/metrics') },
      ],
    };
    const names = ['purchase_rate', 'purchase_rat', 'conversion_rate', 'constructor'];
    const made = await api.call('POST', '/v1/experiments', draftOf('e', ...names));
    expect(made.json()).toMatchObject(refusal);
    const metrics = [
      { metric: 'purchase_rate', role: 'goal' },
      { metric: 'p95_value', role: 'guardrail' },
    ];
    const whole = await api.call('POST', '/v1/experiments', { ...draftOf('e'), metrics });
    expect(whole.json().metrics).toEqual(metrics);
    const edit = (patch: object) => api.call('PATCH', '/v1/experiments/e', patch);
    const changed = await edit({ metrics: draftOf('e', ...names).metrics });
    expect(changed.json()).toMatchObject(refusal);
    expect((await edit({ name: 'Other' })).json().metrics).toEqual(metrics);
  });

  test('are found by name, with what is unknown', async ({ api, database }) => {
    const [rate] = await created(api, RATE);
    const names = ['nope', 'avg_value', 'purchase_rate', 'nope', 'purchase_rate'];
    const { metrics, unknown } = await metricsNamed(database.pool, names);
    expect(unknown).toEqual(['nope']);
    expect([...metrics.keys()]).toEqual(['purchase_rate']);
    expect(metrics.get('purchase_rate')).toMatchObject({
      id: rate?.id,
      version: 1,
      definition: RATE,
    });
  });
});

describe('the page about metrics', () => {
  test('shows one of each kind, and each is taken', async ({ api }) => {
    const page = new URL('../../../../../docs/metrics.md', import.meta.url);
    const bodies = (await readFile(page, 'utf8')).matchAll(/v1\/metrics -d '([^']+)'/g);
    const metrics = await created(api, ...[...bodies].map(([, body]) => JSON.parse(body ?? '')));
    expect(metrics.map(({ kind }) => kind).sort()).toEqual([
      'conversion',
      'count',
      'funnel',
      'mean',
      'quantile',
      'ratio',
      'retention',
      'sum',
    ]);
  });
});
