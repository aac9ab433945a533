import { describe, expect } from 'vitest';
import { startedExperiment, startTestApp, type TestApp } from '../../../test/app.ts';
import { type TestDatabase, test } from '../../../test/fixtures.ts';
import { type Door, proxyTo } from '../../../test/proxy.ts';
import { connectPostgres } from '../../platform/postgres.ts';

/** An API whose way to PostgreSQL can be cut. */
async function startBehindDoor(database: TestDatabase): Promise<TestApp & { readonly door: Door }> {
  const door = await proxyTo(database.url);
  const pool = connectPostgres({ url: door.url, maxConnections: 6, applicationName: 'assay-test' });
  const app = await startTestApp({ url: door.url, pool });
  return {
    ...app,
    door,
    async stop() {
      await app.stop();
      await pool.end();
      door.close();
    },
  };
}

const ask = async ({ call }: TestApp, experiment: string, user: string) =>
  call('GET', `/v1/experiments/${experiment}/assignment/${user}`);

describe('while PostgreSQL is away', () => {
  test('known users are answered, new ones where the hash is certain, and nothing is lost', async ({
    database,
  }) => {
    const api = await startBehindDoor(database);
    await startedExperiment(api, 'steady');
    await startedExperiment(api, 'edited');
    await api.call('PATCH', '/v1/experiments/edited', { coverage_pct: 50 });
    // Another version, but the same split.
    await api.call('PATCH', '/v1/experiments/steady', { description: 'in other words' });
    const known = (await ask(api, 'steady', 'known')).json();
    const ready = async () => (await api.call('GET', '/ready')).json();
    await expect.poll(async () => (await ready()).status, { timeout: 5_000 }).toBe('ok');

    api.door.shut();
    expect((await ask(api, 'steady', 'known')).json()).toEqual({ ...known, source: 'db' });
    const fresh = (await ask(api, 'steady', 'fresh')).json();
    expect(fresh).toMatchObject({ source: 'hash', persisted: false, reason: 'assigned' });
    const unsure = await ask(api, 'edited', 'fresh');
    expect([unsure.statusCode, unsure.json().code]).toEqual([503, 'unavailable']);
    expect(unsure.headers['retry-after']).toBeDefined();
    const event = {
      event_id: '550e8400-e29b-41d4-a716-446655440000',
      user_id: 'known',
      type: 'buy',
      timestamp: new Date().toISOString(),
    };
    const refused = await api.call('POST', '/v1/events', { events: [event] });
    expect([refused.statusCode, refused.json().code]).toEqual([503, 'unavailable']);
    await expect.poll(async () => (await ready()).status, { timeout: 10_000 }).toBe('degraded');
    expect((await api.call('GET', '/ready')).statusCode).toBe(200);
    expect((await ready()).parts.postgresql.status).toBe('down');

    api.door.open();
    await expect
      .poll(async () => (await ask(api, 'steady', 'fresh')).json().persisted, { timeout: 10_000 })
      .toBe(true);
    expect((await ask(api, 'steady', 'fresh')).json().variant).toEqual(fresh.variant);
    const taken = await api.call('POST', '/v1/events', { events: [event] });
    expect(taken.json()).toMatchObject({ accepted: 1 });
    await expect.poll(async () => (await ready()).status, { timeout: 10_000 }).toBe('ok');
    await api.stop();
  });
});
