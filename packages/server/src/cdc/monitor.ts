import { readWatermark } from '../analytics/watermark.ts';
import type { Deps } from '../deps.ts';
import { isUnavailable } from '../platform/postgres.ts';
import type { Leader } from './leader.ts';
import { sleep } from './sleep.ts';
import { findSlot } from './slot.ts';
import { lagMs, type Progress } from './status.ts';

const HEARTBEAT_MS = 1_000;
const READ_BACK_MS = 2_000;
const SLOT_MS = 5_000;

interface MonitorOptions {
  readonly deps: Pick<Deps, 'log' | 'metrics' | 'now'> & {
    readonly clickhouse: NonNullable<Deps['clickhouse']>;
  };
  readonly leader: Leader;
  readonly slot: string;
  readonly progress: Progress;
}

/**
 * Keeps an idle slot moving and measures, each on its own clock, so that one that hangs does not
 * stop the others. Ends with `signal`; what is under way then is not waited for.
 */
export function startMonitor(options: MonitorOptions, signal: AbortSignal): void {
  const { deps, leader } = options;
  const loop = async (everyMs: number, work: () => Promise<void>): Promise<void> => {
    while (!signal.aborted) {
      try {
        await work();
      } catch (error) {
        // The pump meets the same trouble and deals with it; this only measures.
        deps.log.debug({ error: (error as Error).message }, 'monitoring failed');
      }
      await sleep(everyMs, signal);
    }
  };
  void loop(HEARTBEAT_MS, () => beat(leader));
  void loop(READ_BACK_MS, () => readBack(options));
  void loop(SLOT_MS, () => observeSlot(options));
}

/** A commit of our own: the slot and the watermark move on with it. */
async function beat({ client, abandon }: Leader): Promise<void> {
  try {
    await client.query(
      `INSERT INTO cdc_heartbeat (id, at) VALUES (1, now())
       ON CONFLICT (id) DO UPDATE SET at = excluded.at`,
    );
  } catch (error) {
    // Nobody can say whether the lock is still held.
    if (isUnavailable(error)) abandon(error as Error);
    throw error;
  }
}

/** Asks ClickHouse itself, so that the lag covers every hop, and shows it even when it is away. */
async function readBack({ deps, progress }: MonitorOptions): Promise<void> {
  try {
    const watermark = await readWatermark(deps.clickhouse);
    if (watermark !== null) {
      progress.visibleUntil = Math.max(progress.visibleUntil ?? 0, watermark);
    }
  } finally {
    const lag = lagMs(progress, deps.now());
    if (lag !== null) deps.metrics.cdcLag.set(lag / 1_000);
  }
}

async function observeSlot({ deps, leader, slot }: MonitorOptions): Promise<void> {
  const found = await findSlot(leader.client, slot);
  if (found === undefined) return;
  deps.metrics.cdcSlotRetained.set(found.retainedBytes);
  deps.metrics.cdcSlotUnconfirmed.set(found.unconfirmedBytes);
  deps.metrics.cdcSlotSafe.set(found.safeBytes ?? Number.POSITIVE_INFINITY);
}
