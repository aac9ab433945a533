import { describe, expect } from 'vitest';
import {
  expectEqualStores,
  insertAssignments,
  insertEvents,
  queryClickHouse,
  startTestCdc,
  stateOf,
} from '../../test/cdc.ts';
import { type TestClickHouse, type TestDatabase, test } from '../../test/fixtures.ts';
import { readWatermark } from '../analytics/watermark.ts';
import { createMetrics } from '../platform/metrics.ts';
import { copyTables, requireBackfill } from './backfill.ts';
import { openReplicationStream } from './replication-stream.ts';
import { createSlot, dropSlot, findSlot, slotName } from './slot.ts';

const epochs = ({ client }: TestClickHouse) =>
  queryClickHouse<{ epoch: number }>(client, 'SELECT epoch FROM cdc_epochs ORDER BY epoch');

async function dropTheSlot({ pool }: TestDatabase): Promise<void> {
  const slot = await slotName(pool);
  await expect.poll(async () => (await findSlot(pool, slot))?.isActive).toBe(false);
  await dropSlot(pool, slot);
}

describe('change data capture', () => {
  test('copies what was there, streams what comes, and is the same however often', async ({
    database,
    clickhouse,
  }) => {
    await insertEvents(database, 300);
    await insertAssignments(database, 100);
    const metrics = createMetrics();
    let cdc = startTestCdc(database, clickhouse.client, metrics);
    await expectEqualStores(database, clickhouse, { events: 300, assignments: 100 });
    await insertEvents(database, 700);
    await insertAssignments(database, 200);
    await expectEqualStores(database, clickhouse, { events: 1_000, assignments: 300 });
    expect(await metrics.registry.metrics()).toMatch(/assay_cdc_rows_total\{table="events"\} 1000/);
    await cdc.stop();
    // All of it once more, beside what is new.
    await requireBackfill(database.pool, await slotName(database.pool));
    await insertEvents(database, 50);
    await insertAssignments(database, 50);
    cdc = startTestCdc(database, clickhouse.client);
    await expectEqualStores(database, clickhouse, { events: 1_050, assignments: 350 });
    await expect.poll(stateOf(cdc)).toBe('streaming');
    await expect
      .poll(async () => Date.now() - ((await readWatermark(clickhouse.client)) ?? 0) / 1_000)
      .toBeLessThan(10_000);
    await cdc.stop();
  });

  test('copies everything anew after a lost slot, and into an empty ClickHouse', async ({
    database,
    clickhouse,
  }) => {
    await insertEvents(database, 100);
    let cdc = startTestCdc(database, clickhouse.client);
    await expectEqualStores(database, clickhouse, { events: 100 });
    await cdc.stop();
    await dropTheSlot(database);
    await insertEvents(database, 20);
    await insertAssignments(database, 20);
    cdc = startTestCdc(database, clickhouse.client);
    await expectEqualStores(database, clickhouse, { events: 120, assignments: 20 });
    await cdc.stop();
    for (const table of ['events', 'assignments', 'cdc_epochs', 'cdc_watermark']) {
      await clickhouse.client.command({ query: `TRUNCATE TABLE ${table}` });
    }
    cdc = startTestCdc(database, clickhouse.client);
    await expectEqualStores(database, clickhouse, { events: 120, assignments: 20 });
    await cdc.stop();
  });

  test('goes on with a copy where it was interrupted', async ({ database, clickhouse }) => {
    const slot = await slotName(database.pool);
    await insertAssignments(database, 9_000);
    await insertEvents(database, 5_000);
    await requireBackfill(database.pool, slot);
    await createSlot(database.pool, slot);
    const copied: number[] = [];
    for (let round = 0; round < 20; round++) {
      const ending = new AbortController();
      const isWhole = await copyTables({
        db: database.pool,
        slot,
        source: 'test',
        signal: ending.signal,
        writer: {
          clickhouse: clickhouse.client,
          epoch: 1,
          signal: new AbortController().signal,
          onRetry: (error) => expect.fail(error.message),
        },
        onWritten: ({ rows }) => {
          copied.push(rows.assignments + rows.events);
          // After the first chunk that is followed by another of its table.
          if (rows.assignments + rows.events === 4_000) ending.abort();
        },
      });
      if (isWhole) break;
    }
    const total = copied.reduce((sum, rows) => sum + rows, 0);
    expect(copied.slice(0, 3)).toEqual([4_000, 4_000, 1_000]);
    expect(total).toBe(14_000);
    const cdc = startTestCdc(database, clickhouse.client);
    await expectEqualStores(database, clickhouse, { events: 5_000, assignments: 9_000 });
    await cdc.stop();
  });

  test('carries deletions of assignments, also of some that were only copied', async ({
    database,
    clickhouse,
  }) => {
    await insertAssignments(database, 30);
    const cdc = startTestCdc(database, clickhouse.client);
    await insertAssignments(database, 30);
    await expectEqualStores(database, clickhouse, { assignments: 60 });
    await database.pool.query('DELETE FROM assignments WHERE bucket <= 10');
    await database.pool.query(
      "UPDATE assignments SET user_id = 'renamed' WHERE bucket = 20 AND experiment_id = 3 AND ctid = (SELECT max(ctid) FROM assignments WHERE bucket = 20)",
    );
    await expectEqualStores(database, clickhouse, { assignments: 40 });
    await cdc.stop();
  });

  test('is led by one worker, and taken over when that one is gone', async ({
    database,
    clickhouse,
  }) => {
    const first = startTestCdc(database, clickhouse.client);
    await expect.poll(stateOf(first), { timeout: 10_000 }).toBe('streaming');
    const second = startTestCdc(database, clickhouse.client);
    await expect.poll(stateOf(second)).toBe('waiting');
    await first.stop();
    await insertEvents(database, 10);
    await expectEqualStores(database, clickhouse, { events: 10 });
    expect(second.status().state).toBe('streaming');
    await second.stop();
    expect(second.status().state).toBe('stopped');
  });

  test('waits for whoever else reads the slot', async ({ database, clickhouse }) => {
    const slot = await slotName(database.pool);
    await createSlot(database.pool, slot);
    const other = await openReplicationStream({
      url: database.url,
      slot,
      publication: 'assay_cdc',
    });
    await insertEvents(database, 10);
    const metrics = createMetrics();
    const cdc = startTestCdc(database, clickhouse.client, metrics);
    await expect.poll(stateOf(cdc), { timeout: 10_000 }).toBe('waiting');
    expect(cdc.status().lastError).toContain('is active');
    await other.close();
    await expectEqualStores(database, clickhouse, { events: 10 });
    expect(await metrics.registry.metrics()).toMatch(/assay_cdc_restarts_total 0/);
    await cdc.stop();
  });

  test('lets a restored database win over what it sent before', async ({
    database,
    clickhouse,
  }) => {
    const { client } = clickhouse;
    // Left by an earlier life of the database, with a larger LSN than any of now.
    await client.command({ query: "INSERT INTO cdc_epochs VALUES ('earlier', 1, 1)" });
    await client.command({
      query: `INSERT INTO assignments VALUES (1, 'u', 7, 1, 'hash', 0, '2026-01-01', '{}', ${2 ** 48 + 2 ** 47}, 0)`,
    });
    const { pool } = database;
    let cdc = startTestCdc(database, client);
    await pool.query(
      `INSERT INTO assignments VALUES (1, 'u', 2, 1, 'reported', 0, '2026-02-01', '{}')`,
    );
    await expectEqualStores(database, clickhouse, { assignments: 1 });
    await pool.query("UPDATE assignments SET assigned_at = '2026-01-15' WHERE user_id = 'u'");
    await expectEqualStores(database, clickhouse, { assignments: 1 });
    await expect.poll(() => readWatermark(client)).not.toBeNull();
    await cdc.stop();
    expect(await epochs(clickhouse)).toEqual([{ epoch: 1 }, { epoch: 2 }]);

    // The files of the same database put back: its WAL ends before what was received from it.
    await client.command({
      query: `INSERT INTO cdc_watermark VALUES ('pgoutput', now64(6) + 60, '7FFF/0')`,
    });
    await client.command({
      query: `INSERT INTO assignments VALUES (1, 'u', 7, 1, 'hash', 0, '2026-01-01', '{}', ${2n * 2n ** 48n + 2n ** 47n}, 0)`,
    });
    cdc = startTestCdc(database, client);
    await expect.poll(() => epochs(clickhouse), { timeout: 10_000 }).toHaveLength(3);
    await pool.query("UPDATE assignments SET assigned_at = '2026-01-14' WHERE user_id = 'u'");
    await expectEqualStores(database, clickhouse, { assignments: 1 });
    await cdc.stop();
  });
});
