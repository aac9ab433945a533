import { describe, expect } from 'vitest';
import { type TestDatabase, test } from '../../test/fixtures.ts';
import { parseLsn } from './lsn.ts';
import { openReplicationStream } from './replication-stream.ts';
import type { ChangeBatch, ChangeStream } from './source.ts';

const SLOT = 'test_stream';

async function makeSlot({ pool, url }: TestDatabase): Promise<string> {
  const slot = `${SLOT}_${new URL(url).pathname.slice(1)}`;
  await pool.query("SELECT pg_create_logical_replication_slot($1, 'pgoutput')", [slot]);
  return slot;
}

const open = ({ url }: TestDatabase, slot: string): Promise<ChangeStream> =>
  openReplicationStream({ url, slot, publication: 'assay_cdc' });

const assign = (user: string): string =>
  `INSERT INTO assignments VALUES (1, '${user}', 1, 1, 'hash', 0, now(), '{}')`;

const usersOf = (batches: readonly ChangeBatch[]): readonly unknown[] =>
  batches.flatMap(({ changes }) => changes.map(({ row }) => row.user_id));

/** Takes batches until there are that many users. */
async function take(stream: ChangeStream, count: number): Promise<readonly ChangeBatch[]> {
  const taken: ChangeBatch[] = [];
  while (usersOf(taken).length < count) taken.push(...(await stream.next(100_000, 10)));
  return taken;
}

async function confirmed({ pool }: TestDatabase, slot: string): Promise<bigint> {
  const { rows } = await pool.query<{ lsn: string }>(
    'SELECT confirmed_flush_lsn::text AS lsn FROM pg_replication_slots WHERE slot_name = $1',
    [slot],
  );
  return parseLsn(rows[0]?.lsn ?? '0/0');
}

describe('the replication stream', () => {
  test('sends again exactly what was not acknowledged, with commits side by side', async ({
    database,
  }) => {
    const slot = await makeSlot(database);
    const users = Array.from({ length: 40 }, (_, index) => `user-${index}`);
    // Many connections, so that one commit record follows the other without a gap.
    await Promise.all(users.map((user) => database.pool.query(assign(user))));
    for (const acknowledged of [0, 1, 17, 39]) {
      const stream = await open(database, slot);
      const batches = await take(stream, 1);
      const rest = usersOf(batches).length;
      expect(rest).toBeGreaterThan(0);
      await stream.close();
      if (acknowledged === 0)
        expect(await confirmed(database, slot)).toBeLessThan(
          parseLsn(batches[0]?.position ?? '0/0'),
        );
    }
    let stream = await open(database, slot);
    const all = await take(stream, users.length);
    const order = usersOf(all);
    expect([...order].sort()).toEqual([...users].sort());
    for (let index = 0; index < users.length; index += 7) {
      for (const batch of all.slice(0, index + 1)) stream.acknowledge(batch);
      await stream.close();
      stream = await open(database, slot);
      const left = users.length - index - 1;
      if (left === 0) break;
      expect(usersOf(await take(stream, left))).toEqual(order.slice(index + 1));
    }
    await stream.close();
  });

  test('carries a transaction of any size in parts, acknowledged as a whole', async ({
    database,
  }) => {
    const slot = await makeSlot(database);
    const rows = 25_000;
    await database.pool.query(
      `INSERT INTO assignments SELECT 1, 'u' || i, 1, 1, 'hash', 0, now(), '{}' FROM generate_series(1, ${rows}) i`,
    );
    const stream = await open(database, slot);
    const batches = await take(stream, rows);
    expect(batches.map(({ isComplete }) => isComplete)).toEqual([false, false, true]);
    const before = await confirmed(database, slot);
    for (const batch of batches.slice(0, 2)) stream.acknowledge(batch);
    await stream.close();
    expect(await confirmed(database, slot)).toBe(before);
    const again = await open(database, slot);
    expect(usersOf(await take(again, rows))).toHaveLength(rows);
    await again.close();
  });

  test('moves an idle slot on, and carries an earlier time with all columns', async ({
    database,
  }) => {
    const slot = await makeSlot(database);
    const stream = await open(database, slot);
    const context = JSON.stringify({ note: 'x'.repeat(1_900) });
    await database.pool.query(
      `INSERT INTO assignments VALUES (1, 'u', 1, 1, 'reported', 0, now(), $1)`,
      [context],
    );
    await database.pool.query(
      "UPDATE assignments SET assigned_at = assigned_at - interval '1 hour'",
    );
    const [insert, update] = (await take(stream, 2)).flatMap(({ changes }) => changes);
    expect(update).toMatchObject({ operation: 'update', unsent: [] });
    expect(update?.row.context).toBe(insert?.row.context);
    expect(update?.lsn).toBeGreaterThan(insert?.lsn ?? 0n);
    await stream.close();
    // Nothing of ours happens, and yet the slot must not hold WAL.
    const idle = await open(database, slot);
    for (const batch of await take(idle, 2)) idle.acknowledge(batch);
    const before = await confirmed(database, slot);
    await database.pool.query('CREATE TABLE unrelated AS SELECT generate_series(1, 1000) i');
    await expect.poll(() => confirmed(database, slot), { timeout: 20_000 }).toBeGreaterThan(before);
    await idle.close();
  });
});
