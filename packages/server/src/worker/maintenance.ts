import { readWatermark } from '../analytics/watermark.ts';
import type { Deps } from '../deps.ts';
import { dropPartition, ensurePartitions, expiredPartitions } from './partitions.ts';
import { type Repeating, repeat } from './repeat.ts';

const INTERVAL_MS = 3_600_000;
const QUARANTINE_DAYS = 90;
const DELETE_BATCH = 5_000;

type MaintenanceDeps = Pick<Deps, 'db' | 'clickhouse' | 'config' | 'log' | 'now'>;

/** Makes partitions ahead and drops those whose time is over, each hour. */
export function startMaintenance(deps: MaintenanceDeps): Repeating {
  return repeat('maintenance', INTERVAL_MS, deps.log, () => maintain(deps));
}

/** One round of maintenance. */
export async function maintain(deps: MaintenanceDeps): Promise<void> {
  const { db, config, log, now } = deps;
  const made = await ensurePartitions(db, now(), config.retentionMonths);
  if (made.length > 0) log.info({ partitions: made }, 'partitions made');
  await dropExpired(deps);
  await trimQuarantine(deps);
}

async function dropExpired({ db, clickhouse, config, log, now }: MaintenanceDeps): Promise<void> {
  const expired = await expiredPartitions(db, now(), config.retentionMonths);
  if (expired.length === 0) return;
  if (clickhouse !== undefined) {
    // A month is dropped only after CDC has passed it: nothing is written to it any more, so a
    // watermark of the present hour has seen all of it.
    const watermark = await readWatermark(clickhouse);
    if (watermark === null || watermark / 1000 < now() - INTERVAL_MS) return;
  }
  for (const month of expired) {
    await dropPartition(db, month);
    await clickhouse?.command({
      query: `ALTER TABLE events DROP PARTITION ${month.from.slice(0, 7).replace('-', '')}`,
    });
    log.info({ partition: month.table }, 'expired partition dropped');
  }
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
