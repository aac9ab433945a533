import { backoffMs } from '../platform/backoff.ts';
import { codeOf, type Db, inTransaction, type Pool } from '../platform/postgres.ts';
import { retentionFloor } from '../retention.ts';
import {
  attachMonth,
  dropPartition,
  listPartitions,
  lockMaking,
  type Month,
  tryLockDropping,
  unlockDropping,
} from './store.ts';

const MONTHS_AHEAD = 3;
const MAKE_ATTEMPTS = 12;

function monthAt(year: number, month: number): Month {
  const day = (date: Date): string => date.toISOString().slice(0, 10);
  const from = day(new Date(Date.UTC(year, month, 1)));
  const to = day(new Date(Date.UTC(year, month + 1, 1)));
  return { table: `events_${from.slice(0, 7).replace('-', '_')}`, from, to };
}

/** Every month that must have a partition now: the window of accepted times, and three ahead. */
export function neededMonths(nowMs: number, retentionMonths: number): readonly Month[] {
  const floor = new Date(retentionFloor(nowMs, retentionMonths) / 1000);
  return Array.from({ length: retentionMonths + 1 + MONTHS_AHEAD }, (_, index) =>
    monthAt(floor.getUTCFullYear(), floor.getUTCMonth() + index),
  );
}

/** What another session does that will be over soon: a lock held, a deadlock, the same table made. */
const isContention = (error: unknown): boolean =>
  ['55P03', '40P01', '42P07'].includes(codeOf(error));

/**
 * Makes the partitions that are missing. It waits for no lock for long, since all writers would
 * wait behind it, but tries again.
 *
 * @returns the names of the tables that were attached
 */
export async function ensurePartitions(
  pool: Pool,
  nowMs: number,
  retentionMonths: number,
): Promise<readonly string[]> {
  const months = neededMonths(nowMs, retentionMonths);
  for (let attempt = 0; ; attempt++) {
    try {
      return await inTransaction(pool, (tx) => attachMissing(tx, months));
    } catch (error) {
      if (!isContention(error) || attempt + 1 >= MAKE_ATTEMPTS) throw error;
      await new Promise((resolve) => setTimeout(resolve, backoffMs(attempt, 100, 2_000)));
    }
  }
}

async function attachMissing(tx: Db, months: readonly Month[]): Promise<readonly string[]> {
  await lockMaking(tx);
  const partitions = await listPartitions(tx);
  const attached = new Set(partitions.filter((p) => p.isAttached).map((p) => p.table));
  const missing = months.filter(({ table }) => !attached.has(table));
  for (const month of missing) await attachMonth(tx, month);
  return missing.map(({ table }) => table);
}

/**
 * Drops the months that lie wholly before the window, also those of which an earlier attempt got
 * only half of the way. Nothing happens while another worker is at it.
 *
 * @returns the tables that were dropped
 */
export async function dropExpiredPartitions(
  pool: Pool,
  nowMs: number,
  retentionMonths: number,
): Promise<readonly string[]> {
  const first = neededMonths(nowMs, retentionMonths)[0]?.table ?? '';
  // DETACH CONCURRENTLY refuses to run in a transaction, so the lock is the session's.
  const client = await pool.connect();
  let isClean = false;
  try {
    const dropped: string[] = [];
    if (await tryLockDropping(client)) {
      const expired = (await listPartitions(client)).filter(
        (partition) =>
          partition.table < first &&
          (partition.isAttached || partition.isDetaching || partition.isMarked),
      );
      for (const partition of expired) {
        await dropPartition(client, partition);
        dropped.push(partition.table);
      }
      await unlockDropping(client);
    }
    isClean = true;
    return dropped;
  } finally {
    // A session that failed may still hold the lock and its settings: it does not go back.
    client.release(!isClean);
  }
}
