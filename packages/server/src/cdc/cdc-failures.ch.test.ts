import { randomUUID } from 'node:crypto';
import { describe, expect } from 'vitest';
import {
  confirmedLsn,
  expectEqualStores,
  insertAssignments,
  insertEvents,
  queryClickHouse,
  startTestCdc,
  stateOf,
} from '../../test/cdc.ts';
import { type TestDatabase, test } from '../../test/fixtures.ts';
import { proxyTo } from '../../test/proxy.ts';
import { readWatermark } from '../analytics/watermark.ts';
import { connectClickHouse } from '../platform/clickhouse.ts';
import { createMetrics } from '../platform/metrics.ts';
import { ensurePartitions } from '../worker/partitions.ts';

const letters = async ({ pool }: TestDatabase) =>
  (await pool.query('SELECT table_name, operation, row, error FROM cdc_dead_letters ORDER BY id'))
    .rows;

describe('change data capture in trouble', () => {
  test('loses nothing while ClickHouse is away, from the start or later', async ({
    database,
    clickhouse,
  }) => {
    const door = await proxyTo(clickhouse.url);
    const client = connectClickHouse(door.url);
    door.shut();
    await insertEvents(database, 50);
    const cdc = startTestCdc(database, client);
    await expect.poll(stateOf(cdc), { timeout: 10_000 }).toBe('retrying');
    door.open();
    await expectEqualStores(database, clickhouse, { events: 50 });
    for (let round = 1; round <= 3; round++) {
      door.shut();
      await insertEvents(database, 500);
      await insertAssignments(database, 100);
      await expect.poll(stateOf(cdc), { timeout: 10_000 }).toBe('retrying');
      expect(cdc.status().lastError).not.toBeNull();
      door.open();
      await expectEqualStores(database, clickhouse, {
        events: 50 + 500 * round,
        assignments: 100 * round,
      });
    }
    await expect.poll(() => cdc.status()).toMatchObject({ state: 'streaming', lastError: null });
    await cdc.stop();
    await client.close();
    door.close();
  });

  test('shows a lag that grows, and stops in time, while ClickHouse is away', async ({
    database,
    clickhouse,
  }) => {
    const door = await proxyTo(clickhouse.url);
    const client = connectClickHouse(door.url);
    const metrics = createMetrics();
    const cdc = startTestCdc(database, client, metrics);
    await insertEvents(database, 10);
    await expectEqualStores(database, clickhouse, { events: 10 });
    await expect.poll(() => cdc.status().lagMs).toBeLessThan(2_000);
    door.shut();
    await insertEvents(database, 10);
    await expect.poll(() => cdc.status().lagMs, { timeout: 10_000 }).toBeGreaterThan(3_000);
    await expect
      .poll(async () => (await metrics.cdcLag.get()).values[0]?.value, { timeout: 10_000 })
      .toBeGreaterThan(3);
    const startedAt = performance.now();
    await cdc.stop();
    expect(performance.now() - startedAt).toBeLessThan(6_000);
    door.open();
    const next = startTestCdc(database, client);
    await expectEqualStores(database, clickhouse, { events: 20 });
    await next.stop();
    await client.close();
    door.close();
  });

  test('sends again what was inserted and not acknowledged, without a double', async ({
    database,
    clickhouse,
  }) => {
    const { client } = clickhouse;
    let isBroken = false;
    // Breaks down between the insert and the acknowledgement, which follows the watermark.
    const brittle = new Proxy(client, {
      get: (target, name) =>
        name === 'command' && isBroken
          ? () => Promise.reject(new Error('killed'))
          : Reflect.get(target, name, target),
    });
    const cdc = startTestCdc(database, brittle);
    await insertEvents(database, 10);
    await expectEqualStores(database, clickhouse, { events: 10 });
    await expect.poll(() => readWatermark(client)).not.toBeNull();
    isBroken = true;
    await expect.poll(stateOf(cdc), { timeout: 10_000 }).toBe('retrying');
    const before = await confirmedLsn(database);
    const watermark = await readWatermark(client);
    await insertEvents(database, 100);
    await insertAssignments(database, 100);
    const copies = async () =>
      (
        await queryClickHouse<{ n: number }>(
          client,
          'SELECT toUInt32(max(n)) AS n FROM (SELECT count() AS n FROM events GROUP BY event_id)',
        )
      )[0]?.n;
    await client.command({ query: 'SYSTEM STOP MERGES events' });
    await expect.poll(copies, { timeout: 20_000 }).toBeGreaterThan(2);
    await client.command({ query: 'SYSTEM START MERGES events' });
    expect(await confirmedLsn(database)).toBe(before);
    expect(await readWatermark(client)).toBe(watermark);
    isBroken = false;
    await expectEqualStores(database, clickhouse, { events: 110, assignments: 100 });
    await expect.poll(() => confirmedLsn(database)).toBeGreaterThan(before);
    await cdc.stop();
  });

  test('survives the loss of its connections to PostgreSQL', async ({ database, clickhouse }) => {
    const metrics = createMetrics();
    const cdc = startTestCdc(database, clickhouse.client, metrics);
    for (const name of ['assay-cdc', 'assay-cdc-leader', 'assay-cdc']) {
      await insertEvents(database, 100);
      await expect.poll(stateOf(cdc), { timeout: 10_000 }).toBe('streaming');
      await database.pool.query(
        'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1 AND datname = current_database()',
        [name],
      );
      await insertAssignments(database, 100);
    }
    await expectEqualStores(database, clickhouse, { events: 300, assignments: 300 });
    const restarts = (await metrics.cdcRestarts.get()).values[0]?.value;
    expect(restarts).toBeGreaterThanOrEqual(3);
    await cdc.stop();
  });

  test('sets rows aside that ClickHouse cannot take, and goes on', async ({
    database,
    clickhouse,
  }) => {
    const { pool } = database;
    const { client } = clickhouse;
    await ensurePartitions(pool, Date.now(), 13);
    await client.command({
      query: "ALTER TABLE events ADD CONSTRAINT no_poison CHECK type != 'poison'",
    });
    // One that the row cannot even be written with, some that ClickHouse refuses; two before the
    // start, where the copy meets them.
    const poison = [randomUUID(), randomUUID(), randomUUID(), randomUUID()];
    const insert = (id: string | undefined, type: string, value: string) =>
      pool.query(
        `INSERT INTO events (event_id, ts, user_id, type, value) VALUES ($1, now(), 'u', $2, $3)`,
        [id, type, value],
      );
    await insertEvents(database, 20);
    await insert(poison[0], 'poison', '1');
    await insert(poison[1], 'poison', '2');
    const metrics = createMetrics();
    const cdc = startTestCdc(database, client, metrics);
    await expect.poll(stateOf(cdc), { timeout: 10_000 }).toBe('streaming');
    await insert(poison[2], 'buy', 'NaN');
    await insert(poison[3], 'poison', '3');
    await insertEvents(database, 30);
    await insertAssignments(database, 30);
    await expect.poll(async () => (await letters(database)).length, { timeout: 20_000 }).toBe(4);
    const found = await letters(database);
    expect(new Set(found.map(({ row }) => row.event_id))).toEqual(new Set(poison));
    expect(found.find(({ row }) => row.event_id === poison[2])?.error).toContain('NaN');
    expect(found.find(({ row }) => row.event_id === poison[3])?.error).toContain('no_poison');
    // A deletion of events does not travel: that too is said.
    await pool.query('DELETE FROM events WHERE event_id = ANY ($1)', [poison]);
    await expectEqualStores(database, clickhouse, { events: 50, assignments: 30 });
    expect((await letters(database)).slice(4).map(({ operation }) => operation)).toEqual([
      'delete',
      'delete',
      'delete',
      'delete',
    ]);
    expect(await metrics.registry.metrics()).toMatch(/assay_cdc_dead_letters_total 8/);
    await cdc.stop();
  });

  test('fails loudly when ClickHouse lacks a column, and sets nothing aside', async ({
    database,
    clickhouse,
  }) => {
    const { client } = clickhouse;
    const cdc = startTestCdc(database, client);
    await insertEvents(database, 10);
    await expectEqualStores(database, clickhouse, { events: 10 });
    await client.command({ query: 'ALTER TABLE events RENAME COLUMN properties TO props' });
    await insertEvents(database, 10);
    await expect.poll(stateOf(cdc), { timeout: 10_000 }).toBe('retrying');
    expect(cdc.status().lastError).toContain('properties');
    await client.command({ query: 'ALTER TABLE events RENAME COLUMN props TO properties' });
    await expectEqualStores(database, clickhouse, { events: 20 });
    expect(await letters(database)).toEqual([]);
    await cdc.stop();
  });
});
