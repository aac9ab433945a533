import { request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ERRORS } from '@assay/contract';
import { describe, expect } from 'vitest';
import { startedExperiment, startTestApp } from '../../test/app.ts';
import { test } from '../../test/fixtures.ts';

const variants = (first: object = {}, second: object = {}) => [
  { key: 'control', allocation_pct: 50, is_control: true, ...first },
  { key: 'green', allocation_pct: 50, ...second },
];
const valid = { key: 'valid', name: 'Valid', variants: variants() };

describe('a request that is wrong', () => {
  const cases: [string, unknown, number, string, string][] = [
    ['an unknown field', { ...valid, nmae: 'x' }, 422, 'invalid', 'nmae'],
    [
      'an unknown nested field',
      { ...valid, variants: variants({ color: 1 }) },
      422,
      'invalid',
      'variants.0.color',
    ],
    ['a wrong type', { ...valid, name: 7 }, 422, 'invalid', 'name'],
    ['a missing field', { key: 'valid', name: 'Valid' }, 422, 'invalid', 'variants'],
    [
      'shares of 99.99',
      { ...valid, variants: variants({ allocation_pct: 49.99 }) },
      422,
      'invalid',
      'variants',
    ],
    [
      'three decimals',
      { ...valid, variants: variants({ allocation_pct: 49.995 }, { allocation_pct: 50.005 }) },
      422,
      'invalid',
      'variants.0.allocation_pct',
    ],
    [
      'two controls',
      { ...valid, variants: variants({}, { is_control: true }) },
      422,
      'invalid',
      'variants',
    ],
    [
      'no control',
      { ...valid, variants: variants({ is_control: false }) },
      422,
      'invalid',
      'variants',
    ],
    [
      'a key twice',
      { ...valid, variants: variants({}, { key: 'control' }) },
      422,
      'invalid',
      'variants.1.key',
    ],
    ['a key with capitals', { ...valid, key: 'Valid' }, 422, 'invalid', 'key'],
    ['one variant', { ...valid, variants: variants().slice(0, 1) }, 422, 'invalid', 'variants'],
    ['a NUL', { ...valid, name: 'a\0b' }, 422, 'invalid', 'name'],
    ['a lone surrogate', { ...valid, description: '\udfff' }, 422, 'invalid', 'description'],
    [
      'an end before the start',
      { ...valid, starts_at: '2027-01-02T00:00:00Z', ends_at: '2027-01-01T00:00:00Z' },
      422,
      'invalid',
      'ends_at',
    ],
    ['a date without a time', { ...valid, starts_at: '2027-01-02' }, 422, 'invalid', 'starts_at'],
  ];
  test.for(cases)(
    '%s is answered with its code and path',
    async ([, body, status, code, path], { api }) => {
      const answer = await api.call('POST', '/v1/experiments', body);
      expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
      expect(answer.json()).toMatchObject({ status, code });
      expect(answer.json().errors.map((error: { path: string }) => error.path)).toContain(path);
      expect(answer.json().request_id).toBe(answer.headers['x-request-id']);
    },
  );

  test('outside of its fields is answered with the table’s code', async ({ api }) => {
    const json = { 'content-type': 'application/json' };
    const events = Array.from({ length: 1_001 }, () => ({}));
    await api.call('POST', '/v1/experiments', valid);
    const answers: [ReturnType<typeof api.call>, number, string][] = [
      [api.call('POST', '/v1/experiments', '{"key":', { headers: json }), 400, 'malformed_request'],
      [api.call('POST', '/v1/experiments', '', { headers: json }), 400, 'malformed_request'],
      [
        api.call('POST', '/v1/experiments', 'a=1', { headers: { 'content-type': 'text/csv' } }),
        415,
        'unsupported_media_type',
      ],
      [api.call('POST', '/v1/events', { events }), 422, 'invalid'],
      [api.call('POST', '/v1/events', { events: [] }), 422, 'invalid'],
      [api.call('POST', '/v1/events', { events: ['x'.repeat(1_100_000)] }), 413, 'body_too_large'],
      [
        api.call('GET', `/v1/experiments/valid/assignment/${'x'.repeat(1_025)}`),
        414,
        'uri_too_long',
      ],
      [api.call('GET', `/v1/experiments/valid/assignment/${'x'.repeat(257)}`), 422, 'invalid'],
      [api.call('GET', '/v1/experiments/valid/assignment/%00'), 422, 'invalid'],
      [api.call('GET', '/v1/experiments/valid/assignment/%ff'), 400, 'malformed_request'],
      [api.call('GET', '/v1/experiments/nope/assignment/u1'), 404, 'experiment_not_found'],
      [api.call('GET', '/v1/experiments/99999999999/results'), 422, 'invalid'],
      [api.call('GET', '/v1/nothing'), 404, 'not_found'],
      [api.call('PUT', '/v1/experiments'), 405, 'method_not_allowed'],
      [api.call('POST', '/v1/experiments', valid), 409, 'key_taken'],
      [api.call('GET', '/v1/experiments?cursor=abc'), 422, 'invalid'],
      [api.call('GET', '/v1/experiments?limit=0'), 422, 'invalid'],
      [api.call('DELETE', '/v1/tokens/12345'), 404, 'token_not_found'],
    ];
    for (const [pending, status, code] of answers) {
      const answer = await pending;
      expect([answer.statusCode, answer.json().code]).toEqual([status, code]);
      expect(ERRORS).toHaveProperty(code);
    }
  });

  test('before it is parsed is a problem document as well', async ({ api }) => {
    await api.app.listen({ port: 0, host: '127.0.0.1' });
    const { port } = api.app.server.address() as AddressInfo;
    const answer = await new Promise<{ status: number | undefined; body: string }>(
      (resolve, reject) => {
        const headers = { 'x-large': 'x'.repeat(20_000) };
        httpRequest({ port, host: '127.0.0.1', path: '/health', headers }, (response) => {
          let body = '';
          response.on('data', (chunk) => {
            body += chunk;
          });
          response.on('end', () => resolve({ status: response.statusCode, body }));
        })
          .on('error', reject)
          .end();
      },
    );
    expect([answer.status, JSON.parse(answer.body).code]).toEqual([431, 'headers_too_large']);
  });
});

describe('a token', () => {
  test('lets through what its role may do, and nothing else', async ({ api }) => {
    await startedExperiment(api, 'rights');
    const asks = {
      assign: () => ['GET', '/v1/experiments/rights/assignment/u1'] as const,
      ingest: () => ['POST', '/v1/events', { events: [{}] }] as const,
      read: () => ['GET', '/v1/experiments/rights'] as const,
      write: () => ['PATCH', '/v1/experiments/rights', { name: 'New' }] as const,
      admin: () => ['GET', '/v1/tokens'] as const,
    };
    const rights = {
      client: ['assign', 'ingest'],
      ingest: ['ingest'],
      viewer: ['read'],
      editor: ['assign', 'ingest', 'read', 'write'],
      admin: ['assign', 'ingest', 'read', 'write', 'admin'],
    };
    for (const [role, allowed] of Object.entries(rights)) {
      const token = await api.tokenOf(role as keyof typeof rights);
      for (const [right, ask] of Object.entries(asks)) {
        const [method, url, body] = ask();
        const { statusCode } = await api.call(method, url, body, { token });
        expect([role, right, statusCode]).toEqual([
          role,
          right,
          allowed.includes(right) ? 200 : 403,
        ]);
      }
    }
  });

  test('is stored as a hash, shown once, and dead once revoked, in every process', async ({
    api,
    database,
  }) => {
    const other = await startTestApp(database);
    const created = await api.call('POST', '/v1/tokens', { name: 'CI', role: 'viewer' });
    const { id, token } = created.json();
    expect(token).toMatch(/^assay_viewer_[\w-]{43}$/);
    const list = (await api.call('GET', '/v1/tokens')).body;
    expect(list).not.toContain(token);
    const { rows } = await database.pool.query('SELECT * FROM tokens');
    expect(JSON.stringify(rows)).not.toContain(token);
    const ask = async (side: typeof api) =>
      (await side.call('GET', '/v1/experiments', undefined, { token })).statusCode;
    await expect.poll(() => ask(other), { timeout: 1_000 }).toBe(200);
    expect((await api.call('DELETE', `/v1/tokens/${id}`)).statusCode).toBe(204);
    expect(await ask(api)).toBe(401);
    await expect.poll(() => ask(other), { timeout: 1_000 }).toBe(401);
    await other.stop();
  });

  test('that is missing or unknown is refused, and guessing is slowed down', async ({
    database,
  }) => {
    const api = await startTestApp(database, undefined, { ASSAY_RATE_LIMIT_AUTH_FAILURES: '3' });
    const ask = async (token: string | null) =>
      (await api.call('GET', '/v1/experiments', undefined, { token })).statusCode;
    expect(await ask(null)).toBe(401);
    for (const token of ['a', 'b', 'c']) expect(await ask(token)).toBe(401);
    const limited = await api.call('GET', '/v1/experiments', undefined, { token: 'd' });
    expect(limited.json()).toMatchObject({ code: 'too_many_requests' });
    expect(Number(limited.headers['retry-after'])).toBeGreaterThan(0);
    await api.stop();
  });

  test('may make as many requests as the setting says', async ({ database }) => {
    const api = await startTestApp(database, undefined, { ASSAY_RATE_LIMIT_PER_MINUTE: '2' });
    const codes: number[] = [];
    for (let i = 0; i < 3; i++) codes.push((await api.call('GET', '/v1/experiments')).statusCode);
    expect(codes).toEqual([200, 200, 429]);
    await api.stop();
  });
});

describe('another origin', () => {
  test('may call what a client token may, and nothing else', async ({ database }) => {
    const api = await startTestApp(database, undefined, {
      ASSAY_CORS_ORIGINS: 'https://shop.example, https://www.example',
    });
    const allowed = async (method: 'GET' | 'POST' | 'OPTIONS', url: string, origin: string) => {
      const headers = { origin, 'access-control-request-method': 'POST' };
      const answer = await api.call(method, url, undefined, { headers });
      return answer.headers['access-control-allow-origin'];
    };
    expect(await allowed('POST', '/v1/events', 'https://shop.example')).toBe(
      'https://shop.example',
    );
    expect(await allowed('OPTIONS', '/v1/events', 'https://www.example')).toBe(
      'https://www.example',
    );
    expect(await allowed('POST', '/v1/events', 'https://evil.example')).toBeUndefined();
    expect(await allowed('GET', '/v1/experiments', 'https://shop.example')).toBeUndefined();
    await api.stop();
  });
});

describe('a list', () => {
  test('begins wherever a cursor says, beyond every id too', async ({ api }) => {
    await api.call('POST', '/v1/metrics', { key: 'm', kind: 'count', event_type: 'visit' });
    for (const list of ['experiments', 'tokens', 'metrics', 'metrics/m/versions']) {
      const answer = await api.call('GET', `/v1/${list}?cursor=9999999999999999`);
      expect([list, answer.statusCode]).toEqual([list, 200]);
      const none = await api.call('GET', `/v1/${list}?cursor=x`);
      expect([list, none.json().code]).toEqual([list, 'invalid']);
    }
  });
});

describe('operations', () => {
  test('say how the process is', async ({ api }) => {
    expect((await api.call('GET', '/health', undefined, { token: null })).json()).toEqual({
      status: 'ok',
    });
    const ready = async () => (await api.call('GET', '/ready', undefined, { token: null })).json();
    await expect.poll(async () => (await ready()).status, { timeout: 5_000 }).toBe('ok');
    expect((await ready()).parts).toMatchObject({
      postgresql: { status: 'ok' },
      clickhouse: { status: 'off' },
      snapshot: { status: 'ok' },
    });
    await api.call('GET', '/v1/experiments/nope/assignment/u1');
    const metrics = (await api.call('GET', '/metrics', undefined, { token: null })).body;
    expect(metrics).toContain(
      'route="/v1/experiments/:experiment/assignment/:user_id",status="404"',
    );
    expect(metrics).toContain('assay_postgres_pool_connections');
  });

  test('describe the API with every route and every named shape', async ({ api }) => {
    const document = (await api.call('GET', '/openapi.json', undefined, { token: null })).json();
    expect(document.openapi).toBe('3.1.0');
    expect(Object.keys(document.paths).sort()).toEqual([
      '/health',
      '/metrics',
      '/ready',
      '/v1/assignments',
      '/v1/calibration',
      '/v1/calibration/{calibration}',
      '/v1/events',
      '/v1/experiments',
      '/v1/experiments/{experiment}',
      '/v1/experiments/{experiment}/archive',
      '/v1/experiments/{experiment}/assignment',
      '/v1/experiments/{experiment}/assignment/{user_id}',
      '/v1/experiments/{experiment}/clone',
      '/v1/experiments/{experiment}/history',
      '/v1/experiments/{experiment}/overrides/{user_id}',
      '/v1/experiments/{experiment}/pause',
      '/v1/experiments/{experiment}/results',
      '/v1/experiments/{experiment}/resume',
      '/v1/experiments/{experiment}/snapshots',
      '/v1/experiments/{experiment}/snapshots/{id}',
      '/v1/experiments/{experiment}/snapshots/{id}/reproduce',
      '/v1/experiments/{experiment}/srm',
      '/v1/experiments/{experiment}/start',
      '/v1/experiments/{experiment}/stop',
      '/v1/exposures',
      '/v1/metrics',
      '/v1/metrics/{metric}',
      '/v1/metrics/{metric}/versions',
      '/v1/power',
      '/v1/tokens',
      '/v1/tokens/{id}',
    ]);
    const references = [...JSON.stringify(document).matchAll(/#\/components\/schemas\/(\w+)/g)];
    const names = new Set(references.map((match) => match[1]));
    expect(
      [...names].filter((name) => document.components.schemas[name ?? ''] === undefined),
    ).toEqual([]);
    expect([...names]).toEqual(
      expect.arrayContaining(['EventInput', 'ExposureInput', 'Problem', 'Experiment']),
    );
    expect((await api.call('GET', '/docs/', undefined, { token: null })).statusCode).toBe(200);
  });
});
