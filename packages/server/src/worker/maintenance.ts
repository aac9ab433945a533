import { readWatermark } from '../analytics/watermark.ts';
import { dropUnusedSlot } from '../cdc/slot.ts';
import type { Deps } from '../deps.ts';
import { trimQuarantine } from '../features/quarantine/service.ts';
import { retentionFloor } from '../retention.ts';
import { dropExpiredPartitions, ensurePartitions } from './partitions.ts';
import { type Repeating, repeat } from './repeat.ts';
import { dropMonthsBefore } from './store-clickhouse.ts';

const INTERVAL_MS = 3_600_000;
/** After a month has ended, how long late requests and clocks that differ may still write to it. */
const SETTLE_MS = 3_600_000;

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
  const floor = retentionFloor(now(), retentionMonths);
  const alsoDropped = await dropMonthsBefore(clickhouse, floor);
  if (alsoDropped.length > 0) {
    log.info({ partitions: alsoDropped }, 'expired partitions dropped from ClickHouse');
  }
}

/** Without a ClickHouse a slot has no reader, and would hold WAL until the disk is full. */
async function dropSlotOfNobody({ db, clickhouse, log }: MaintenanceDeps): Promise<void> {
  if (clickhouse !== undefined) return;
  const slot = await dropUnusedSlot(db);
  if (slot !== undefined) log.warn({ slot }, 'replication slot without a ClickHouse dropped');
}
