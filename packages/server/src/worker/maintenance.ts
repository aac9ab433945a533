import { readWatermark } from '../analytics/watermark.ts';
import { dropUnusedSlot } from '../cdc/slot.ts';
import type { Deps } from '../deps.ts';
import type { ClickHouse } from '../platform/clickhouse.ts';
import { dropExpiredPartitions, ensurePartitions } from './partitions.ts';
import { type Repeating, repeat } from './repeat.ts';
import { retentionFloor } from './retention.ts';

const INTERVAL_MS = 3_600_000;
/** After a month has ended, how long late requests and clocks that differ may still write to it. */
const SETTLE_MS = 3_600_000;
const QUARANTINE_DAYS = 90;
const DELETE_BATCH = 5_000;

type MaintenanceDeps = Pick<Deps, 'db' | 'clickhouse' | 'config' | 'log' | 'now'>;

/** Makes partitions ahead and drops those whose time is over, each hour. */
export function startMaintenance(deps: MaintenanceDeps): Repeating {
  return repeat('maintenance', INTERVAL_MS, deps.log, () => maintain(deps));
}

/** One round of maintenance; each task is done whatever became of the others. */
export async function maintain(deps: MaintenanceDeps): Promise<void> {
  const failures: Error[] = [];
  for (const task of [makeAhead, dropExpired, trimQuarantine, dropSlotOfNobody]) {
    try {
      await task(deps);
    } catch (error) {
      failures.push(error as Error);
    }
  }
  const [first] = failures;
  if (first !== undefined) throw first;
}

async function makeAhead({ db, config, log, now }: MaintenanceDeps): Promise<void> {
  const made = await ensurePartitions(db, now(), config.retentionMonths);
  if (made.length > 0) log.info({ partitions: made }, 'partitions made');
}

/** Months are dropped only after CDC has passed them: then they are whole in both stores. */
async function dropExpired({ db, clickhouse, config, log, now }: MaintenanceDeps): Promise<void> {
  const { retentionMonths } = config;
  const today = new Date(now());
  // The newest of them expired with the beginning of this month; since then nothing is accepted.
  const settledAt = Date.UTC(today.getUTCFullYear(), today.getUTCMonth(), 1) + SETTLE_MS;
  if (now() < settledAt) return;
  if (clickhouse !== undefined) {
    const watermark = await readWatermark(clickhouse);
    if (watermark === null || watermark / 1_000 < settledAt) return;
  }
  const dropped = await dropExpiredPartitions(db, now(), retentionMonths);
  if (dropped.length > 0) log.info({ partitions: dropped }, 'expired partitions dropped');
  if (clickhouse === undefined) return;
  const alsoDropped = await dropFromClickHouse(clickhouse, now(), retentionMonths);
  if (alsoDropped.length > 0) {
    log.info({ partitions: alsoDropped }, 'expired partitions dropped from ClickHouse');
  }
}

/** By what is there, not by what was dropped before: an attempt may have failed, or rows be late. */
async function dropFromClickHouse(
  clickhouse: ClickHouse,
  nowMs: number,
  retentionMonths: number,
): Promise<readonly string[]> {
  const floor = new Date(retentionFloor(nowMs, retentionMonths) / 1_000)
    .toISOString()
    .slice(0, 7)
    .replace('-', '');
  const result = await clickhouse.query({
    query: `SELECT DISTINCT partition_id AS id FROM system.parts
            WHERE database = currentDatabase() AND table = 'events' AND active
              AND toUInt32OrZero(partition_id) BETWEEN 190001 AND {floor:UInt32} - 1
            ORDER BY id`,
    query_params: { floor: Number(floor) },
    format: 'JSONEachRow',
  });
  const ids = (await result.json<{ id: string }>()).map(({ id }) => id);
  for (const id of ids) {
    await clickhouse.command({ query: `ALTER TABLE events DROP PARTITION ID '${id}'` });
  }
  return ids;
}

/** Refused items are kept for finding out what a client sends, not for ever. */
async function trimQuarantine({ db }: MaintenanceDeps): Promise<void> {
  for (;;) {
    const { rowCount } = await db.query(
      `DELETE FROM quarantine WHERE id IN (
         SELECT id FROM quarantine WHERE received_at < now() - make_interval(days => $1)
         ORDER BY id LIMIT $2)`,
      [QUARANTINE_DAYS, DELETE_BATCH],
    );
    if ((rowCount ?? 0) < DELETE_BATCH) return;
  }
}

/** Without a ClickHouse a slot has no reader, and would hold WAL until the disk is full. */
async function dropSlotOfNobody({ db, clickhouse, log }: MaintenanceDeps): Promise<void> {
  if (clickhouse !== undefined) return;
  const slot = await dropUnusedSlot(db);
  if (slot !== undefined) log.warn({ slot }, 'replication slot without a ClickHouse dropped');
}
