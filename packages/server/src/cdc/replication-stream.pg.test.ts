import { describe, expect } from 'vitest';
import { confirmedLsn } from '../../test/cdc.ts';
import { type TestDatabase, test } from '../../test/fixtures.ts';
import { formatLsn } from './lsn.ts';
import { identifySystem, openReplicationStream } from './replication-stream.ts';
import { createSlot, dropUnusedSlot, findSlot, slotName } from './slot.ts';
import type { ChangeBatch, ChangeStream } from './source.ts';

const LIMITS = { maxRows: 100_000, maxBytes: 1e9, lingerMs: 10 };
const NEVER = new AbortController().signal;

async function makeSlot({ pool }: TestDatabase): Promise<string> {
  const slot = await slotName(pool);
  await createSlot(pool, slot);
  return slot;
}

const open = ({ url }: TestDatabase, slot: string): Promise<ChangeStream> =>
  openReplicationStream({ url, slot, publication: 'assay_cdc' });

const assign = (user: string): string =>
  `INSERT INTO assignments VALUES (1, '${user}', 1, 1, 'hash', 0, now(), '{}')`;

const assignMany = (count: number, text = ''): string =>
  `INSERT INTO assignments SELECT 1, 'u' || i, 1, 1, 'hash', 0, now(), jsonb_build_object('t', '${text}')
   FROM generate_series(1, ${count}) i`;

const usersOf = (batches: readonly ChangeBatch[]): readonly unknown[] =>
  batches.flatMap(({ changes }) => changes.map(({ row }) => row.user_id));

/** Takes batches until there are that many users. */
async function take(stream: ChangeStream, count: number): Promise<readonly ChangeBatch[]> {
  const taken: ChangeBatch[] = [];
  while (usersOf(taken).length < count) taken.push(...(await stream.next(LIMITS, NEVER)));
  return taken;
}

describe('the replication stream', () => {
  test('sends again exactly what was not acknowledged, with commits side by side', async ({
    database,
  }) => {
    const slot = await makeSlot(database);
    const users = Array.from({ length: 40 }, (_, index) => `user-${index}`);
    // Many connections, so that one commit record follows the other without a gap.
    await Promise.all(users.map((user) => database.pool.query(assign(user))));
    const before = await confirmedLsn(database);
    for (let round = 0; round < 3; round++) {
      const stream = await open(database, slot);
      expect(usersOf(await take(stream, 1)).length).toBeGreaterThan(0);
      await stream.close();
      expect(await confirmedLsn(database)).toBe(before);
    }
    let stream = await open(database, slot);
    const all = await take(stream, users.length);
    const order = usersOf(all);
    expect([...order].sort()).toEqual([...users].sort());
    for (let index = 0; index < users.length; index += 7) {
      for (const batch of all.slice(0, index + 1)) stream.acknowledge(batch);
      await stream.close();
      expect(formatLsn(await confirmedLsn(database))).toBe(all[index]?.position);
      stream = await open(database, slot);
      const left = users.length - index - 1;
      expect(usersOf(await take(stream, left))).toEqual(order.slice(index + 1));
    }
    await stream.close();
  });

  test('carries a transaction of any size in parts, acknowledged as a whole', async ({
    database,
  }) => {
    const slot = await makeSlot(database);
    const rows = 12_000;
    await database.pool.query(assignMany(rows));
    const stream = await open(database, slot);
    const batches = await take(stream, rows);
    expect(batches.map(({ isComplete }) => isComplete)).toEqual([false, false, true]);
    const before = await confirmedLsn(database);
    for (const batch of batches.slice(0, 2)) stream.acknowledge(batch);
    await stream.close();
    expect(await confirmedLsn(database)).toBe(before);
    const again = await open(database, slot);
    expect(usersOf(await take(again, rows))).toHaveLength(rows);
    await again.close();
  });

  test('pauses a reader that is behind, within bounds and without losing the connection', async ({
    database,
  }) => {
    const slot = await makeSlot(database);
    const stream = await open(database, slot);
    const rows = 60_000;
    await database.pool.query(assignMany(rows, 'x'.repeat(1_000)));
    const heapBefore = process.memoryUsage().heapUsed;
    // Nobody takes anything for longer than two status updates.
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect(process.memoryUsage().heapUsed - heapBefore).toBeLessThan(150 * 1024 * 1024);
    const users: unknown[] = [];
    while (users.length < rows) {
      const batches = await stream.next({ ...LIMITS, maxRows: 5_000 }, NEVER);
      users.push(...usersOf(batches));
      for (const batch of batches) stream.acknowledge(batch);
    }
    expect(new Set(users).size).toBe(rows);
    await stream.close();
  });

  test('waits from the oldest row on, up to a full batch, or until it is told to end', async ({
    database,
  }) => {
    const slot = await makeSlot(database);
    const stream = await open(database, slot);
    const patient = { ...LIMITS, lingerMs: 60_000, maxRows: 3 };
    const full = stream.next(patient, NEVER);
    for (const user of ['a', 'b', 'c']) await database.pool.query(assign(user));
    const batches = await full;
    expect(usersOf(batches)).toEqual(['a', 'b', 'c']);
    const ending = new AbortController();
    const nothing = stream.next(patient, ending.signal);
    await database.pool.query(assign('d'));
    ending.abort();
    expect(await nothing).toEqual([]);
    await new Promise((resolve) => setTimeout(resolve, 500));
    // It has waited for long enough already, so it comes at once: before any timer could.
    const late = new Promise<'late'>((resolve) => setImmediate(resolve, 'late'));
    const next = await Promise.race([stream.next({ ...LIMITS, lingerMs: 50 }, NEVER), late]);
    expect(next === 'late' ? next : usersOf(next)).toEqual(['d']);
    const broken = stream.next(patient, NEVER);
    await Promise.all([expect(broken).rejects.toThrow('closed'), stream.close()]);
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
    const before = await confirmedLsn(database);
    await database.pool.query('CREATE TABLE unrelated AS SELECT generate_series(1, 1000) i');
    await expect.poll(() => confirmedLsn(database), { timeout: 20_000 }).toBeGreaterThan(before);
    await idle.close();
  });

  test('says who reads the slot already, and where the server stands', async ({ database }) => {
    const slot = await makeSlot(database);
    const first = await open(database, slot);
    await expect(open(database, slot)).rejects.toMatchObject({ code: '55006' });
    await first.close();
    const second = await open(database, slot);
    await second.close();
    const identity = await identifySystem(database.url);
    expect(identity).toMatchObject({ system: expect.stringMatching(/^\d+$/), timeline: 1 });
    expect(identity.flushed).toBeGreaterThanOrEqual(await confirmedLsn(database));
  });

  test('drops a slot that nobody will read, and none that is read', async ({ database }) => {
    const slot = await makeSlot(database);
    const stream = await open(database, slot);
    expect(await dropUnusedSlot(database.pool)).toBeUndefined();
    await stream.close();
    await expect.poll(async () => (await findSlot(database.pool, slot))?.isActive).toBe(false);
    expect(await dropUnusedSlot(database.pool)).toBe(slot);
    expect(await findSlot(database.pool, slot)).toBeUndefined();
  });
});
