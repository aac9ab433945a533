import { Agent, request } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import fastify from 'fastify';
import { describe, expect } from 'vitest';
import { ADMIN_TOKEN, startTestApp } from '../../test/app.ts';
import { test } from '../../test/fixtures.ts';
import { registerAuth } from './auth.ts';

const JSON_TYPE = { 'content-type': 'application/json' };
const draft = (key: string) => ({
  key,
  name: key,
  variants: [
    { key: 'control', allocation_pct: 50, is_control: true },
    { key: 'green', allocation_pct: 50 },
  ],
});

/** What the document says of one operation, as far as the tests read it. */
interface Operation {
  readonly operationId: string;
  readonly description?: string;
  readonly security?: unknown;
  readonly responses: Record<string, { description: string; content?: Record<string, unknown> }>;
}

/** What the server answers to bytes that no client library would send. */
function exchange(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    socket.on('close', () => resolve(answer));
    socket.on('error', reject);
  });
}

describe('every answer', () => {
  test('has the id of its request, the caller’s own if it is sane', async ({ api }) => {
    const ask = async (url: string, id?: string) => {
      const headers: Record<string, string> = id === undefined ? {} : { 'x-request-id': id };
      return (await api.call('GET', url, undefined, { headers })).headers['x-request-id'];
    };
    expect(await ask('/health', 'abc-1.2:3')).toBe('abc-1.2:3');
    expect(await ask('/health', 'a b')).toMatch(/^[\da-f-]{36}$/);
    expect(await ask('/health', 'x'.repeat(129))).toMatch(/^[\da-f-]{36}$/);
    for (const url of [
      '/v1/nothing',
      '/v1/experiments/%zz',
      `/v1/experiments/${'x'.repeat(2_000)}`,
    ]) {
      expect(await ask(url, 'mine')).toBe('mine');
    }
  });

  test('is not kept or guessed at by a browser, errors before routing included', async ({
    api,
  }) => {
    for (const url of ['/health', '/v1/experiments', '/v1/nothing', '/v1/experiments/%zz']) {
      expect((await api.call('GET', url)).headers).toMatchObject({
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
      });
    }
  });

  test('to bytes that are no request is a problem document with an id', async ({ api }) => {
    await api.app.listen({ port: 0, host: '127.0.0.1' });
    const { port } = api.app.server.address() as AddressInfo;
    const cases: [string, string, string][] = [
      [
        `GET /${'x'.repeat(20_000)} HTTP/1.1\r\nHost: a\r\n\r\n`,
        '414 URI Too Long',
        'uri_too_long',
      ],
      ['NONSENSE\r\n\r\n', '400 Bad Request', 'malformed_request'],
    ];
    for (const [text, status, code] of cases) {
      const answer = await exchange(port, text);
      expect(answer).toContain(`HTTP/1.1 ${status}\r\n`);
      expect(answer).toMatch(/X-Request-Id: [\da-f-]{36}\r\n/);
      expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n'))).code).toBe(code);
    }
  });
});

describe('a body', () => {
  test('may be absent where none is needed, whatever type is declared', async ({ api }) => {
    for (const type of ['application/json', 'application/x-www-form-urlencoded', 'text/plain']) {
      const key = type.replace(/\W+/g, '-');
      await api.call('POST', '/v1/experiments', draft(key));
      const url = `/v1/experiments/${key}/start`;
      const started = await api.call('POST', url, undefined, { headers: { 'content-type': type } });
      expect([type, started.statusCode]).toEqual([type, 200]);
    }
  });

  test('that is absent, of another type or no object is told apart', async ({ api }) => {
    const post = async (body: unknown, headers: Record<string, string>) => {
      const answer = await api.call('POST', '/v1/experiments', body, { headers });
      return [answer.statusCode, answer.json().code];
    };
    expect(await post(undefined, {})).toEqual([400, 'malformed_request']);
    expect(await post('', JSON_TYPE)).toEqual([400, 'malformed_request']);
    expect(await post('{"a":NaN}', JSON_TYPE)).toEqual([400, 'malformed_request']);
    expect(await post('null', JSON_TYPE)).toEqual([422, 'invalid']);
    expect(await post('[]', JSON_TYPE)).toEqual([422, 'invalid']);
    for (const type of ['text/plain', 'application/xml', 'multipart/form-data; boundary=x']) {
      expect(await post('{}', { 'content-type': type })).toEqual([415, 'unsupported_media_type']);
    }
    const charset = { 'content-type': 'application/json; charset=utf-8' };
    expect((await post(JSON.stringify(draft('charset')), charset))[0]).toBe(201);
  });

  test('is UTF-8, or refused: no byte becomes another character', async ({ api }) => {
    const send = async (url: string, type: string, body: Buffer) => {
      const answer = await api.app.inject({
        method: 'POST',
        url,
        headers: { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': type },
        payload: body,
      });
      return [answer.statusCode, answer.json().code];
    };
    const event = (user: number) =>
      Buffer.concat([
        Buffer.from('{"event_id":"550e8400-e29b-41d4-a716-446655440000","type":"a","user_id":"'),
        Buffer.from([user]),
        Buffer.from('"}'),
      ]);
    const json = Buffer.concat([Buffer.from('{"events":['), event(0xff), Buffer.from(']}')]);
    expect(await send('/v1/events', 'application/json', json)).toEqual([400, 'malformed_request']);
    expect(await send('/v1/events', 'application/x-ndjson', event(0xfe))).toEqual([
      400,
      'malformed_request',
    ]);
    const latin = 'application/json; charset=iso-8859-1';
    expect(await send('/v1/events', latin, Buffer.from('{"events":[1]}'))).toEqual([
      415,
      'unsupported_media_type',
    ]);
  });

  test('cannot reach a prototype', async ({ api }) => {
    const text = JSON.stringify(draft('proto')).replace('{', '{"__proto__":{"seed":"mine"},');
    const created = await api.call('POST', '/v1/experiments', text, { headers: JSON_TYPE });
    expect(created.statusCode).toBe(201);
    expect(created.json().seed).not.toBe('mine');
  });
});

describe('a path', () => {
  test('says which methods it takes', async ({ api }) => {
    const answer = await api.call('PUT', '/v1/experiments/any');
    expect([answer.statusCode, answer.headers.allow]).toEqual([405, 'GET, PATCH, DELETE']);
    expect((await api.call('GET', '/v1/events')).headers.allow).toBe('POST');
  });

  test('for clients is open to the origins of the settings, the others are not', async ({
    database,
  }) => {
    const shop = 'https://shop.example';
    const api = await startTestApp(database, undefined, { ASSAY_CORS_ORIGINS: shop });
    const allowed = async (method: 'GET' | 'POST' | 'OPTIONS', url: string, origin: string) => {
      const headers = { origin, 'access-control-request-method': 'POST' };
      const answer = await api.call(method, url, undefined, { token: null, headers });
      return answer.headers['access-control-allow-origin'];
    };
    const client = [
      '/v1/events',
      '/v1/exposures',
      '/v1/assignments',
      '/v1/experiments/a/assignment',
      '/v1/experiments/a/assignment/u%2F1?force_refresh=true',
    ];
    for (const url of client) {
      expect(await allowed('OPTIONS', url, shop)).toBe(shop);
      expect(await allowed('OPTIONS', url, 'https://evil.example')).toBeUndefined();
    }
    // Also the answer to a wrong token, or a page could not tell what is wrong.
    expect(await allowed('POST', '/v1/events', shop)).toBe(shop);
    const closed = ['/v1/experiments', '/v1/experiments/a/assignments', '/v1/tokens', '/metrics'];
    for (const url of closed) {
      expect(await allowed('OPTIONS', url, shop)).toBeUndefined();
      expect(await allowed('GET', url, shop)).toBeUndefined();
    }
    await api.stop();
  });

  test('without a permission fails the start', () => {
    const app = fastify();
    const never = () => Promise.resolve(undefined);
    registerAuth(app, {
      recall: () => undefined,
      isRecallCertain: () => true,
      lookUp: never,
      failuresPerMinute: 0,
      requestsPerMinute: 0,
      now: Date.now,
    });
    expect(() => app.get('/open', never)).toThrow('GET /open does not say its permission');
    expect(() => app.get('/docs-of-mine', never)).toThrow('does not say its permission');
  });
});

describe('the database', () => {
  test('that is busy with a row is asked again later, not reported as a fault', async ({
    api,
    database,
  }) => {
    await api.call('POST', '/v1/experiments', draft('held'));
    const other = await database.pool.connect();
    await other.query('BEGIN');
    await other.query(`SELECT 1 FROM experiments WHERE key = 'held' FOR UPDATE`);
    const answer = await api.call('PATCH', '/v1/experiments/held', { name: 'New' });
    await other.query('ROLLBACK');
    other.release();
    expect(answer.json()).toMatchObject({ status: 503, code: 'overloaded' });
    expect(answer.headers['retry-after']).toBe('1');
  });
});

describe('a server that closes', () => {
  test('finishes what it has taken, and does not wait for idle connections', async ({
    api,
    database,
  }) => {
    await api.call('POST', '/v1/experiments', draft('closing'));
    await api.app.listen({ port: 0, host: '127.0.0.1' });
    const { port } = api.app.server.address() as AddressInfo;
    const agent = new Agent({ keepAlive: true });
    const holder = await database.pool.connect();
    await holder.query('BEGIN');
    await holder.query(`SELECT 1 FROM experiments WHERE key = 'closing' FOR UPDATE`);
    const answer = new Promise<number | undefined>((resolve, reject) => {
      const headers = {
        authorization: `Bearer ${ADMIN_TOKEN}`,
        'content-type': 'application/json',
      };
      const options = { port, agent, headers, method: 'PATCH', path: '/v1/experiments/closing' };
      request(options, (response) =>
        response.resume().on('end', () => resolve(response.statusCode)),
      )
        .on('error', reject)
        .end('{"name":"New"}');
    });
    await new Promise((resolve) => setTimeout(resolve, 100));
    const closed = api.app.close();
    await new Promise((resolve) => setTimeout(resolve, 400));
    await holder.query('ROLLBACK');
    holder.release();
    expect(await answer).toBe(200);
    const late = new Promise((resolve) => setTimeout(() => resolve('late'), 2_000));
    expect(await Promise.race([closed, late])).not.toBe('late');
    agent.destroy();
  });
});

describe('the description of the API', () => {
  test('has no reference that leads nowhere, and no shape that nothing uses', async ({ api }) => {
    const { body } = await api.call('GET', '/openapi.json', undefined, { token: null });
    const document = JSON.parse(body);
    const at = (pointer: string) =>
      pointer
        .slice(2)
        .split('/')
        .reduce((part, name) => part?.[name], document);
    const references = new Set([...body.matchAll(/"\$ref":"([^"]+)"/g)].map((match) => match[1]));
    expect([...references].filter((pointer) => at(pointer ?? '') === undefined)).toEqual([]);
    const names = Object.keys(document.components.schemas);
    expect(names.filter((name) => !references.has(`#/components/schemas/${name}`))).toEqual([]);
    const item = (name: string, field: string) =>
      document.components.schemas[name].properties[field].items.$ref;
    expect(item('EventsRequest', 'events')).toBe('#/components/schemas/EventInput');
    expect(item('ExposuresRequest', 'exposures')).toBe('#/components/schemas/ExposureInput');
  });

  test('says of each operation who may call it and what its answers are', async ({ api }) => {
    const document = (await api.call('GET', '/openapi.json')).json();
    const operations = Object.values<Record<string, Operation>>(document.paths)
      .flatMap((methods) => Object.values(methods))
      .map(({ operationId, security, description = '', responses }) => ({
        operationId,
        isOpen: JSON.stringify(security) === '[]',
        needs: /Needs the right to (\w+)\./.exec(description)?.[1],
        descriptions: Object.values(responses).map((answer) => answer.description),
        problem: responses.default?.content?.['application/problem+json'] !== undefined,
      }));
    expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length);
    expect(operations.filter(({ isOpen }) => isOpen).map((o) => o.operationId)).toEqual([
      'getHealth',
      'getReadiness',
    ]);
    const needs = Object.fromEntries(operations.map((o) => [o.operationId, o.needs]));
    expect(needs).toMatchObject({
      createToken: 'admin',
      createExperiment: 'write',
      getExperiment: 'read',
      getAssignment: 'assign',
      ingestEvents: 'ingest',
    });
    expect(operations.flatMap((o) => o.descriptions)).not.toContain('Default Response');
    expect(operations.filter(({ problem }) => !problem)).toEqual([]);
  });

  test('is shown by pages that load nothing from elsewhere', async ({ api }) => {
    const page = await api.call('GET', '/docs/', undefined, { token: null });
    expect(page.body).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
    expect(page.headers['content-security-policy']).toContain("default-src 'self'");
    const start = await api.call('GET', '/docs/static/swagger-initializer.js', undefined, {
      token: null,
    });
    expect(start.body).toContain('"validatorUrl":null');
    const script = '/docs/static/swagger-ui-bundle.js';
    expect((await api.call('GET', script, undefined, { token: null })).statusCode).toBe(200);
  });
});
