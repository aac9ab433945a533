import type { Experiment } from '@assay/contract';
import { describe, expect } from 'vitest';
import { startedExperiment } from '../../../test/app.ts';
import { test } from '../../../test/fixtures.ts';

const VARIANTS = [
  { key: 'control', name: 'As it is', allocation_pct: 50, is_control: true, config: { color: 1 } },
  { key: 'green', allocation_pct: 50, config: { color: 2 } },
];
const SHARES = [
  { key: 'control', allocation_pct: 20, is_control: true },
  { key: 'green', allocation_pct: 80 },
];
const inAnHour = () => new Date(Date.now() + 3_600_000).toISOString();

describe('a change', () => {
  test('of the shares leaves the rest of the variants, before and after the start', async ({
    api,
  }) => {
    await api.call('POST', '/v1/experiments', { key: 'kept', name: 'Kept', variants: VARIANTS });
    for (const way of ['draft', 'started']) {
      const edited = await api.call('PATCH', '/v1/experiments/kept', { variants: SHARES });
      const { variants } = edited.json<Experiment>();
      expect([way, ...variants.map((v) => [v.name, v.config, v.allocation_pct])]).toEqual([
        way,
        ['As it is', { color: 1 }, 20],
        ['green', { color: 2 }, 80],
      ]);
      await api.call('POST', '/v1/experiments/kept/start');
    }
    const named = await api.call('PATCH', '/v1/experiments/kept', {
      variants: [{ ...SHARES[0], config: {} }, SHARES[1]],
    });
    expect(named.json<Experiment>().variants.map(({ config }) => config)).toEqual([
      {},
      { color: 2 },
    ]);
  });

  test('that changes nothing makes no version, and tells nothing', async ({ api }) => {
    const id = await startedExperiment(api, 'same', { variants: VARIANTS });
    const before = (await api.call('GET', '/v1/experiments/same')).json<Experiment>();
    for (const patch of [{}, { name: before.name }, { variants: VARIANTS, coverage_pct: 100 }]) {
      const answer = await api.call('PATCH', `/v1/experiments/${id}`, patch);
      expect([answer.statusCode, answer.json().version]).toEqual([200, before.version]);
    }
    const history = (await api.call('GET', '/v1/experiments/same/history')).json();
    expect(history.items.map(({ action }: { action: string }) => action)).not.toContain(
      'experiment.updated',
    );
  });

  test.for([
    ['a total as goal', [{ metric: 'unique_users' }], 'metrics.0.metric'],
    [
      'a total as guardrail',
      [{ metric: 'conversion_rate' }, { metric: 'sum_value', role: 'guardrail', margin: 0.1 }],
      'metrics.1.metric',
    ],
    [
      'a metric twice',
      [{ metric: 'conversion_rate' }, { metric: 'conversion_rate', role: 'secondary' }],
      'metrics.1.metric',
    ],
    ['a margin of a goal', [{ metric: 'conversion_rate', margin: 0.1 }], 'metrics.0.margin'],
  ] as const)('to %s is refused', async ([, metrics, path], { api }) => {
    const draft = { key: 'm', name: 'M', variants: VARIANTS };
    const created = await api.call('POST', '/v1/experiments', { ...draft, metrics });
    expect([created.statusCode, created.json().errors[0].path]).toEqual([422, path]);
    await api.call('POST', '/v1/experiments', draft);
    const edited = await api.call('PATCH', '/v1/experiments/m', { metrics });
    expect([edited.statusCode, edited.json().errors[0].path]).toEqual([422, path]);
  });

  test('of one field of the analysis leaves the others', async ({ api }) => {
    const analysis = { confidence_level: 90, expected_users: 5_000 };
    await api.call('POST', '/v1/experiments', {
      key: 'a',
      name: 'A',
      variants: VARIANTS,
      analysis,
    });
    const edited = await api.call('PATCH', '/v1/experiments/a', {
      analysis: { confidence_level: 99 },
    });
    expect(edited.json().analysis).toEqual({
      method: 'sequential',
      confidence_level: 99,
      expected_users: 5_000,
    });
  });

  test('of a draft’s variants leaves the overrides of those that stay', async ({ api }) => {
    await api.call('POST', '/v1/experiments', { key: 'o', name: 'O', variants: VARIANTS });
    const override = (user: string) => `/v1/experiments/o/overrides/${user}`;
    await api.call('PUT', override('stays'), { variant: 'control' });
    await api.call('PUT', override('goes'), { variant: 'green' });
    await api.call('PATCH', '/v1/experiments/o', {
      variants: [
        { key: 'control', allocation_pct: 50, is_control: true },
        { key: 'blue', allocation_pct: 50 },
      ],
    });
    expect((await api.call('DELETE', override('stays'))).statusCode).toBe(204);
    expect((await api.call('DELETE', override('goes'))).json().code).toBe('override_not_found');
  });

  test('is refused where it would leave the experiment waiting for nothing', async ({ api }) => {
    await api.call('POST', '/v1/experiments', {
      key: 'waits',
      name: 'Waits',
      variants: VARIANTS,
      starts_at: inAnHour(),
    });
    await api.call('POST', '/v1/experiments/waits/start');
    const refused = await api.call('PATCH', '/v1/experiments/waits', { starts_at: null });
    expect(refused.json()).toMatchObject({ code: 'invalid', errors: [{ path: 'starts_at' }] });
    const both = await api.call('PATCH', '/v1/experiments/waits', {
      ends_at: '2020-01-01T00:00:00Z',
    });
    expect(both.json()).toMatchObject({ code: 'invalid', errors: [{ path: 'ends_at' }] });
  });

  test('is conditional on any of the versions that If-Match names', async ({ api }) => {
    await api.call('POST', '/v1/experiments', { key: 'm', name: 'M', variants: VARIANTS });
    let edits = 0;
    const patch = async (tag: string) => {
      const headers = { 'if-match': tag };
      const body = { name: `N${edits++}` };
      const answer = await api.call('PATCH', '/v1/experiments/m', body, { headers });
      return [answer.statusCode, answer.json().code];
    };
    expect((await patch('*'))[0]).toBe(200);
    expect((await patch('"1", W/"2"'))[0]).toBe(200);
    expect(await patch('"1", "2"')).toEqual([412, 'version_mismatch']);
    expect(await patch('3')).toEqual([412, 'version_mismatch']);
    expect(await patch('"3", nonsense')).toEqual([412, 'version_mismatch']);
    const start = (tag: string) =>
      api.call('POST', '/v1/experiments/m/start', undefined, { headers: { 'if-match': tag } });
    expect((await start('"1"')).statusCode).toBe(412);
    expect((await start('"3"')).statusCode).toBe(200);
    const remove = { headers: { 'if-match': '"1"' } };
    expect((await api.call('DELETE', '/v1/experiments/m', undefined, remove)).statusCode).toBe(412);
  });

  test('is not made when its history cannot be written', async ({ api, database }) => {
    await startedExperiment(api, 'audited');
    await database.pool.query('ALTER TABLE audit_log ADD CHECK (false) NOT VALID');
    const before = (await api.call('GET', '/v1/experiments/audited')).json();
    const tries = [
      api.call('PATCH', '/v1/experiments/audited', { name: 'New', variants: SHARES }),
      api.call('POST', '/v1/experiments/audited/stop'),
      api.call('PUT', '/v1/experiments/audited/overrides/u1', { variant: 'green' }),
      api.call('POST', '/v1/experiments', { key: 'other', name: 'O', variants: VARIANTS }),
      api.call('POST', '/v1/tokens', { name: 'CI', role: 'viewer' }),
    ];
    for (const answer of await Promise.all(tries)) {
      expect(answer.json()).toMatchObject({ status: 500, code: 'internal' });
      expect(answer.body).not.toContain('audit_log');
    }
    expect((await api.call('GET', '/v1/experiments/audited')).json()).toEqual(before);
    expect((await api.call('GET', '/v1/experiments/other')).statusCode).toBe(404);
    const { rows } = await database.pool.query(
      `SELECT (SELECT count(*) FROM overrides) + (SELECT count(*) FROM tokens WHERE name = 'CI')
              AS made`,
    );
    expect(rows).toEqual([{ made: 0 }]);
  });
});

describe('a start', () => {
  test('is refused when the end has passed, since nothing starts twice', async ({ api }) => {
    await api.call('POST', '/v1/experiments', {
      key: 'late',
      name: 'Late',
      variants: VARIANTS,
      ends_at: '2020-01-01T00:00:00Z',
    });
    const refused = await api.call('POST', '/v1/experiments/late/start');
    expect(refused.json()).toMatchObject({
      code: 'transition_not_allowed',
      errors: [{ path: 'ends_at' }],
    });
    await api.call('PATCH', '/v1/experiments/late', { ends_at: inAnHour() });
    expect((await api.call('POST', '/v1/experiments/late/start')).json().status).toBe('running');
  });

  test('is the first one for good: a pause keeps started_at, a stop sets stopped_at', async ({
    api,
  }) => {
    await startedExperiment(api, 'once');
    const act = async (action: string) =>
      (await api.call('POST', `/v1/experiments/once/${action}`)).json<Experiment>();
    const { started_at } = await act('pause');
    expect(started_at).not.toBeNull();
    expect(await act('resume')).toMatchObject({ started_at, stopped_at: null });
    const stopped = await act('stop');
    expect(stopped.started_at).toBe(started_at);
    expect(stopped.stopped_at).not.toBeNull();
    const refused = await api.call('POST', '/v1/experiments/once/start');
    expect(refused.json().detail).toBe(
      'An experiment that is stopped cannot start; it allows archive',
    );
  });

  test('keeps what each version since then assigned by', async ({ api, database }) => {
    const id = await startedExperiment(api, 'versions');
    await api.call('PATCH', '/v1/experiments/versions', { coverage_pct: 50, variants: SHARES });
    const { rows } = await database.pool.query(
      `SELECT version, coverage, jsonb_path_query_array(allocations, '$[*].allocation') AS shares
       FROM experiment_versions WHERE experiment_id = $1 ORDER BY version`,
      [id],
    );
    expect(rows).toEqual([
      { version: 2, coverage: 10_000, shares: [5_000, 5_000] },
      { version: 3, coverage: 5_000, shares: [2_000, 8_000] },
    ]);
  });
});

describe('the history', () => {
  test('names who did what in which request, overrides included', async ({ api }) => {
    await startedExperiment(api, 'told');
    const token = await api.tokenOf('editor');
    const url = '/v1/experiments/told/overrides/u1';
    const put = (variant: string) =>
      api.call('PUT', url, { variant }, { token, headers: { 'x-request-id': `put-${variant}` } });
    await put('green');
    await put('control');
    await api.call('DELETE', url, undefined, { token });
    expect((await put('nope')).json()).toMatchObject({
      code: 'invalid',
      errors: [{ path: 'variant' }],
    });
    const page = (await api.call('GET', '/v1/experiments/told/history?limit=3')).json();
    expect(
      page.items.map(({ id: _, at: __, ...entry }: Record<string, unknown>) => entry),
    ).toMatchObject([
      { action: 'override.removed', before: { variant: 'control' }, after: null },
      { action: 'override.set', before: { variant: 'green' }, after: { variant: 'control' } },
      {
        action: 'override.set',
        before: null,
        after: { variant: 'green' },
        request_id: 'put-green',
        actor: expect.stringMatching(/^test editor \(token \d+\)$/),
      },
    ]);
    const next = `/v1/experiments/told/history?cursor=${page.next_cursor}`;
    const rest = (await api.call('GET', next)).json();
    expect(rest.items.map(({ action }: { action: string }) => action)).toEqual([
      'experiment.started',
      'experiment.created',
    ]);
  });
});
