import { randomBytes } from 'node:crypto';
import { describe, expect } from 'vitest';
import { ADMIN_TOKEN, startTestApp } from '../../../test/app.ts';
import { test } from '../../../test/fixtures.ts';
import { buildApp } from '../../app.ts';
import { connectPostgres } from '../../platform/postgres.ts';
import { ensureAdminToken } from './service.ts';

describe('a token', () => {
  test('is asked for with a name and a role', async ({ api }) => {
    const paths = async (body: unknown) => {
      const answer = await api.call('POST', '/v1/tokens', body);
      return [answer.statusCode, answer.json().errors?.map((e: { path: string }) => e.path)];
    };
    expect(await paths({ name: 'CI', role: 'root' })).toEqual([422, ['role']]);
    expect(await paths({ name: '', role: 'viewer' })).toEqual([422, ['name']]);
    expect(await paths({ name: 'CI', role: 'viewer', token: 'mine' })).toEqual([422, ['token']]);
    const created = await api.call('POST', '/v1/tokens', { name: 'CI', role: 'viewer' });
    expect(created.headers['cache-control']).toBe('no-store');
    const [listed] = (await api.call('GET', '/v1/tokens?limit=1')).json().items;
    const { token, ...shown } = created.json();
    expect(listed).toEqual(shown);
    expect(token.startsWith(shown.prefix)).toBe(true);
  });

  test('is revoked once, however often that is asked, its own holder included', async ({
    api,
    database,
  }) => {
    const made = (await api.call('POST', '/v1/tokens', { name: 'Mine', role: 'admin' })).json();
    const { token } = made;
    const url = `/v1/tokens/${made.id}`;
    expect((await api.call('DELETE', url, undefined, { token })).statusCode).toBe(204);
    expect((await api.call('DELETE', url, undefined, { token })).statusCode).toBe(401);
    expect((await api.call('DELETE', url)).statusCode).toBe(204);
    const { rows } = await database.pool.query(
      `SELECT action, before->>'revoked_at' IS NULL AS was_valid, after->>'revoked_at' IS NULL AS is_valid
       FROM audit_log WHERE resource_type = 'token' AND resource_id = $1 ORDER BY id`,
      [String(made.id)],
    );
    expect(rows).toEqual([
      { action: 'token.created', was_valid: true, is_valid: true },
      { action: 'token.revoked', was_valid: true, is_valid: false },
    ]);
    for (const id of ['0', 'abc', '-1', '2147483648']) {
      expect((await api.call('DELETE', `/v1/tokens/${id}`)).statusCode).toBe(422);
    }
  });

  test('of the operator replaces the one before it, and no other of that name', async ({ api }) => {
    const named = { name: 'environment', role: 'viewer' };
    const { token } = (await api.call('POST', '/v1/tokens', named)).json();
    const next = `next_${randomBytes(24).toString('hex')}`;
    const ask = async (given: string) =>
      (await api.call('GET', '/v1/experiments', undefined, { token: given })).statusCode;
    const replace = async (by: string) => {
      await ensureAdminToken(api.deps, by);
      await api.deps.snapshot.refresh();
    };
    await replace(next);
    expect([await ask(ADMIN_TOKEN), await ask(next), await ask(token)]).toEqual([401, 200, 200]);
    await replace(ADMIN_TOKEN);
    expect([await ask(ADMIN_TOKEN), await ask(next), await ask(token)]).toEqual([200, 401, 200]);
    const list = (await api.call('GET', '/v1/tokens')).body;
    expect(list).not.toContain(next.slice(0, 8));
  });

  test('that is good passes while others guess from the same address', async ({ database }) => {
    const api = await startTestApp(database, undefined, { ASSAY_RATE_LIMIT_AUTH_FAILURES: '2' });
    const ask = async (token: string) =>
      (await api.call('GET', '/v1/experiments', undefined, { token })).statusCode;
    const guesses = [await ask('a'), await ask('b'), await ask('c'), await ask('d')];
    expect(guesses).toEqual([401, 401, 429, 429]);
    expect(await ask(ADMIN_TOKEN)).toBe(200);
    await api.stop();
  });

  test('is refused with a reason', async ({ api }) => {
    const ask = async (authorization: string) => {
      const options = { token: null, headers: { authorization } };
      const answer = await api.call('GET', '/v1/tokens', undefined, options);
      return [answer.json().code, answer.headers['www-authenticate']];
    };
    expect(await ask('Basic YTpi')).toEqual(['unauthorized', 'Bearer']);
    expect(await ask('Bearer ')).toEqual(['unauthorized', 'Bearer']);
    expect(await ask(`bearer ${ADMIN_TOKEN}`)).toEqual([undefined, undefined]);
    const viewer = await api.tokenOf('viewer');
    const refused = await api.call('GET', '/v1/tokens', undefined, { token: viewer });
    expect(refused.json().detail).toBe(
      'A token of role "viewer" may not do this; it needs the right to admin',
    );
  });
});

describe('while changes may be missed', () => {
  test('the database is asked, and the last known answer stands when it is away', async ({
    api,
    database,
  }) => {
    const viewer = await api.tokenOf('viewer');
    const snapshot = { ...api.deps.snapshot, isLive: () => false };
    const away = connectPostgres({
      url: 'postgres://nobody@127.0.0.1:1/none',
      maxConnections: 1,
      applicationName: 'assay-test',
    });
    const [asking, cut] = await Promise.all([
      buildApp({ ...api.deps, snapshot }),
      buildApp({ ...api.deps, snapshot, db: away }),
    ]);
    const ask = async (app: typeof asking, token: string) => {
      const headers = { authorization: `Bearer ${token}` };
      return (await app.inject({ url: '/v1/experiments', headers })).json().code;
    };
    // Let in by what is remembered; only the list itself needs the database.
    expect(await ask(cut, viewer)).toBe('unavailable');
    expect(await ask(cut, 'unknown')).toBe('unauthorized');
    expect(await ask(asking, viewer)).toBeUndefined();
    await database.pool.query(`UPDATE tokens SET revoked_at = now() WHERE role = 'viewer'`);
    expect(await ask(asking, viewer)).toBe('unauthorized');
    await Promise.all([asking.close(), cut.close(), away.end()]);
  });
});
