import type { Deps } from '../deps.ts';
import { must } from '../errors.ts';
import { backoffMs } from '../platform/backoff.ts';
import type { ClickHouse } from '../platform/clickhouse.ts';
import { codeOf } from '../platform/postgres.ts';
import { copyTables, isBackfilled, requireBackfill } from './backfill.ts';
import type { WriterOptions } from './clickhouse-writer.ts';
import { connectLeader, type Leader, takeLead } from './leader.ts';
import { startMonitor } from './monitor.ts';
import { pump } from './pump.ts';
import { identifySystem, openReplicationStream } from './replication-stream.ts';
import { ensureEpoch, readEpochs, resetWatermark } from './sink-state.ts';
import { sleep } from './sleep.ts';
import { createSlot, dropSlot, findSlot, slotName } from './slot.ts';
import type { ChangeStream } from './source.ts';
import { type CdcStatus, createProgress, lagMs, type Progress } from './status.ts';

export type CdcDeps = Pick<Deps, 'config' | 'clickhouse' | 'log' | 'metrics' | 'now'>;

/** The change data capture of this process. */
export interface Cdc {
  readonly status: () => CdcStatus;
  /** Finishes what is being written, acknowledges it, and ends. */
  readonly stop: () => Promise<void>;
}

const SOURCE = 'pgoutput';
const PUBLICATION = 'assay_cdc';
/** How long a flush may take to end when CDC is stopped; what it had comes again. */
const STOP_FLUSH_MS = 4_000;
/** A run of that length was a good one: trouble after it is met without a long pause. */
const GOOD_RUN_MS = 30_000;
const SLOT_WAIT_MS = 500;
const SLOT_IN_USE = '55006';

/** What every part of one run works with. */
interface Run {
  readonly deps: CdcDeps;
  readonly clickhouse: ClickHouse;
  readonly leader: Leader;
  readonly slot: string;
  readonly progress: Progress;
  readonly writer: WriterOptions;
  /** Aborted when this run shall end, for whatever reason. */
  readonly signal: AbortSignal;
}

/** Two ways to end: `stopping` lets a flush end, `aborting` does not. */
interface Signals {
  readonly stopping: AbortSignal;
  readonly aborting: AbortSignal;
}

/**
 * Carries changes from PostgreSQL into ClickHouse for as long as it is not stopped. On any error
 * everything in memory is dropped and the stream begins again where the slot stands.
 */
export function startCdc(deps: CdcDeps): Cdc {
  const clickhouse = must(deps.clickhouse, 'CDC is started with a ClickHouse');
  const stopping = new AbortController();
  const aborting = new AbortController();
  const signals = { stopping: stopping.signal, aborting: aborting.signal };
  const progress = createProgress();
  const loop = supervise(deps, clickhouse, progress, signals);
  return {
    status: () => ({
      state: progress.state,
      lagMs: lagMs(progress, deps.now()),
      lastError: progress.lastError,
    }),
    async stop() {
      stopping.abort();
      const timer = setTimeout(() => aborting.abort(), STOP_FLUSH_MS);
      await loop;
      clearTimeout(timer);
    },
  };
}

async function supervise(
  deps: CdcDeps,
  clickhouse: ClickHouse,
  progress: Progress,
  signals: Signals,
): Promise<void> {
  const { stopping } = signals;
  for (let attempt = 0; !stopping.aborted; attempt++) {
    const startedAt = performance.now();
    try {
      await run(deps, clickhouse, progress, signals);
    } catch (error) {
      if (stopping.aborted) break;
      progress.state = 'retrying';
      progress.lastError = (error as Error).message;
      deps.metrics.cdcRestarts.inc();
      deps.log.warn({ error: progress.lastError }, 'change data capture starts again');
    }
    if (performance.now() - startedAt > GOOD_RUN_MS) attempt = 0;
    await sleep(backoffMs(attempt, 100, 3_000), stopping);
  }
  progress.state = 'stopped';
}

/** From taking the lead to losing it, or to the first error. */
async function run(
  deps: CdcDeps,
  clickhouse: ClickHouse,
  progress: Progress,
  { stopping, aborting }: Signals,
): Promise<void> {
  const leader = await connectLeader(deps.config.databaseUrl);
  const ending = new AbortController();
  const signal = AbortSignal.any([stopping, leader.lost, ending.signal]);
  let stream: ChangeStream | undefined;
  try {
    await takeLead(leader, signal, () => {
      progress.state = 'waiting';
    });
    if (signal.aborted) return;
    const slot = await slotName(leader.client);
    const epoch = await findEpoch(deps, clickhouse, leader, slot);
    const writer: WriterOptions = {
      clickhouse,
      epoch,
      signal: AbortSignal.any([aborting, leader.lost]),
      onRetry: (error) => {
        progress.state = 'retrying';
        progress.lastError = error.message;
        deps.log.warn({ error: error.message }, 'ClickHouse did not take rows; trying again');
      },
    };
    const context: Run = { deps, clickhouse, leader, slot, progress, writer, signal };
    if (!(await ensureCopy(context))) return;
    stream = await openStream(context);
    if (stream === undefined) return;
    progress.state = 'streaming';
    progress.lastError = null;
    startMonitor({ deps: { ...deps, clickhouse }, leader, slot, progress }, signal);
    await pump({ deps, source: SOURCE, stream, writer, db: leader.client, progress }, signal);
    leader.lost.throwIfAborted();
  } finally {
    ending.abort();
    await stream?.close();
    await leader.end();
  }
}

async function findEpoch(
  { config }: CdcDeps,
  clickhouse: ClickHouse,
  { client }: Leader,
  slot: string,
): Promise<number> {
  const identity = await identifySystem(config.databaseUrl);
  // A ClickHouse that knows no source is empty, whatever an earlier one was told. Said to
  // PostgreSQL before the epoch, which ends this state, is written.
  if ((await readEpochs(clickhouse)).length === 0) await requireBackfill(client, slot);
  return ensureEpoch(clickhouse, SOURCE, identity);
}

/**
 * Makes sure that the slot is there and that all from before it is copied. In this order, since a
 * change between the two would otherwise be in neither.
 *
 * @returns whether the copy is whole; not so when the run was ended meanwhile
 */
async function ensureCopy(context: Run): Promise<boolean> {
  const { deps, clickhouse, leader, slot, progress, writer, signal } = context;
  const { client } = leader;
  const found = await findSlot(client, slot);
  if (found === undefined || found.isLost) {
    await requireBackfill(client, slot);
    if (found !== undefined) await dropSlot(client, slot);
    await createSlot(client, slot);
    deps.log.info({ slot, wasLost: found !== undefined }, 'replication slot made');
  }
  if (await isBackfilled(client, slot)) return true;
  progress.state = 'backfilling';
  await resetWatermark(clickhouse);
  progress.visibleUntil = null;
  const startedAt = performance.now();
  let rows = 0;
  const isWhole = await copyTables({
    db: client,
    slot,
    source: SOURCE,
    writer,
    signal,
    onWritten: (written) => {
      progress.state = 'backfilling';
      for (const [table, count] of Object.entries(written.rows)) {
        rows += count;
        deps.metrics.cdcRows.inc({ table }, count);
      }
      deps.metrics.cdcDeadLetters.inc(written.deadLetters.length);
    },
  });
  const seconds = Math.round((performance.now() - startedAt) / 1_000);
  deps.log.info({ rows, seconds, isWhole }, 'tables copied into ClickHouse');
  return isWhole;
}

/** Opens the slot, waiting for whoever still reads it; undefined when the run was ended meanwhile. */
async function openStream({
  deps,
  slot,
  progress,
  signal,
}: Run): Promise<ChangeStream | undefined> {
  while (!signal.aborted) {
    try {
      return await openReplicationStream({
        url: deps.config.databaseUrl,
        slot,
        publication: PUBLICATION,
      });
    } catch (error) {
      if (codeOf(error) !== SLOT_IN_USE) throw error;
      progress.state = 'waiting';
      progress.lastError = (error as Error).message;
      await sleep(SLOT_WAIT_MS, signal);
    }
  }
  return undefined;
}
