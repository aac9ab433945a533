import type { Readiness } from '@assay/contract';
import type { FastifyInstance } from 'fastify';
import { describe, expect } from 'vitest';
import { test } from '../../../test/fixtures.ts';
import { buildApp } from '../../app.ts';
import { connectPostgres } from '../../platform/postgres.ts';

const away = () =>
  connectPostgres({
    url: 'postgres://secret_user@127.0.0.1:1/secret_database',
    maxConnections: 1,
    applicationName: 'assay-test',
  });

const ready = async (app: FastifyInstance) => {
  const answer = await app.inject('/ready');
  return { status: answer.statusCode, body: answer.json<Readiness>(), text: answer.body };
};

describe('readiness', () => {
  test('is degraded without the database once there is a snapshot, and down before', async ({
    api,
  }) => {
    const db = away();
    const empty = { ...api.deps.snapshot, isLoaded: () => false, isLive: () => false };
    const [serving, starting] = await Promise.all([
      buildApp({ ...api.deps, db }),
      buildApp({ ...api.deps, db, snapshot: empty }),
    ]);
    expect(await ready(serving)).toMatchObject({
      status: 200,
      body: { status: 'degraded', parts: { postgresql: { status: 'down' } } },
    });
    expect(await ready(starting)).toMatchObject({
      status: 503,
      body: { status: 'down', parts: { snapshot: { status: 'down' } } },
    });
    expect((await serving.inject('/health')).json()).toEqual({ status: 'ok' });
    await Promise.all([serving.close(), starting.close(), db.end()]);
  });

  test('tells everybody what is wrong, and nobody where or with whom', async ({ api }) => {
    const db = away();
    const cdcStatus = () => ({
      state: 'retrying' as const,
      lagMs: 7_000,
      lastError: 'password of secret_user',
    });
    const app = await buildApp({ ...api.deps, db, cdcStatus });
    const { body, text } = await ready(app);
    expect(body.parts.postgresql?.detail).toBe('cannot be used: ECONNREFUSED');
    expect(body.parts.cdc).toEqual({ status: 'degraded', detail: 'retrying', lag_ms: 7_000 });
    expect(text).not.toMatch(/secret|127\.0\.0\.1/);
    await Promise.all([app.close(), db.end()]);
  });

  test('is asked of the stores once, however many want to know', async ({ api }) => {
    let asked = 0;
    const db = Object.assign(Object.create(api.deps.db), {
      query: () => {
        asked++;
        return Promise.resolve({ rows: [] });
      },
    });
    const app = await buildApp({ ...api.deps, db });
    await Promise.all(Array.from({ length: 50 }, () => ready(app)));
    expect(asked).toBe(1);
    await app.close();
  });

  test('is all that a process without the API answers', async ({ api }) => {
    const config = { ...api.deps.config, roles: ['worker' as const] };
    const app = await buildApp({ ...api.deps, config });
    const status = async (url: string) => (await app.inject(url)).statusCode;
    expect(
      await Promise.all(['/health', '/ready', '/metrics', '/v1/experiments'].map(status)),
    ).toEqual([200, 200, 200, 404]);
    await app.close();
  });
});

describe('measurements', () => {
  test('are for this machine, and for who reads; not for who comes through a proxy', async ({
    api,
  }) => {
    const ask = async (token: string | null, headers: Record<string, string> = {}) =>
      (await api.call('GET', '/metrics', undefined, { token, headers })).statusCode;
    const forwarded = { 'x-forwarded-for': '203.0.113.9' };
    expect(await ask(null)).toBe(200);
    expect(await ask(null, forwarded)).toBe(401);
    expect(await ask(await api.tokenOf('viewer'), forwarded)).toBe(200);
    expect(await ask(await api.tokenOf('client'), forwarded)).toBe(403);
  });
});
