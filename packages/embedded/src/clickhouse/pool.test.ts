import type { Session } from 'chdb';
import { expect, it } from 'vitest';
import { connectionOf, createPool } from './pool.ts';

const connections = (count: number) =>
  Array.from({ length: count }, () => connectionOf({} as Session));

it('hands out each connection to one at a time, in order of asking', async () => {
  const pool = createPool(connections(1), 10);
  const first = await pool.take();
  const order: number[] = [];
  const waiting = [1, 2, 3].map(async (number) => {
    const connection = await pool.take();
    order.push(number);
    expect(connection).toBe(first);
    pool.giveBack(connection);
  });
  expect(pool.isIdle()).toBe(false);
  pool.giveBack(first);
  await Promise.all(waiting);
  expect(order).toEqual([1, 2, 3]);
  expect(pool.isIdle()).toBe(true);
});

it('refuses one more than may wait, with ClickHouse’s code for it', async () => {
  const pool = createPool(connections(2), 1);
  await Promise.all([pool.take(), pool.take()]);
  const waiting = pool.take();
  await expect(pool.take()).rejects.toMatchObject({
    code: 202,
    message: expect.stringContaining('Maximum: 2 running, 1 waiting. (TOO_MANY_SIMULTANEOUS'),
  });
  pool.giveBack(connectionOf({} as Session));
  await waiting;
});

it('forgets who has gone', async () => {
  const pool = createPool(connections(1), 1);
  const connection = await pool.take();
  const gone = new AbortController();
  const waiting = pool.take(gone.signal);
  gone.abort(new Error('gone'));
  await expect(waiting).rejects.toThrow('gone');
  await expect(pool.take(gone.signal)).rejects.toThrow('gone');
  // Its place in the queue is free, and the connection goes to whoever still waits.
  const next = pool.take();
  pool.giveBack(connection);
  expect(await next).toBe(connection);
});
