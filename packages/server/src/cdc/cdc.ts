import pg from 'pg';
import { readWatermark } from '../analytics/watermark.ts';
import type { Deps } from '../deps.ts';
import { must } from '../errors.ts';
import { backoffMs } from '../platform/backoff.ts';
import type { ClickHouse } from '../platform/clickhouse.ts';
import { copyTables } from './backfill.ts';
import {
  ensureEpoch,
  type WriterOptions,
  type Written,
  writeChanges,
  writeWatermark,
} from './clickhouse-writer.ts';
import { insertDeadLetters } from './dead-letters.ts';
import { openReplicationStream } from './replication-stream.ts';
import { createSlot, dropSlot, findSlot, slotName } from './slot.ts';
import type { ChangeBatch, ChangeStream } from './source.ts';
import type { CdcStatus } from './status.ts';

export type CdcDeps = Pick<Deps, 'config' | 'clickhouse' | 'log' | 'metrics' | 'now'>;

/** The change data capture of this process. */
export interface Cdc {
  readonly status: () => CdcStatus;
  /** Finishes what is being written, acknowledges it, and ends. */
  readonly stop: () => Promise<void>;
}

const SOURCE = 'pgoutput';
const PUBLICATION = 'assay_cdc';
/** One worker per database reads the slot; the others wait for this lock. */
const LEADER_LOCK = 4_170_003;
const FLUSH_ROWS = 5_000;
const FLUSH_LINGER_MS = 40;
const HEARTBEAT_MS = 1_000;
/** The watermark is written with a flush, but not with every one: each is a part of its own. */
const WATERMARK_MS = 250;
const WAIT_FOR_LEADERSHIP_MS = 1_000;

/** What one run knows and all runs show. */
interface Shared {
  state: CdcStatus['state'];
  lagMs: number | null;
  lastError: string | null;
}

/**
 * Carries changes from PostgreSQL into ClickHouse for as long as it is not stopped. On any error
 * everything in memory is dropped and the stream begins again where the slot stands.
 */
export function startCdc(deps: CdcDeps): Cdc {
  const clickhouse = must(deps.clickhouse, 'CDC is started with a ClickHouse');
  const stopping = new AbortController();
  const shared: Shared = { state: 'starting', lagMs: null, lastError: null };

  const loop = (async () => {
    for (let attempt = 0; !stopping.signal.aborted; attempt++) {
      const startedAt = performance.now();
      try {
        await run(deps, clickhouse, shared, stopping.signal);
      } catch (error) {
        if (stopping.signal.aborted) break;
        shared.state = 'retrying';
        shared.lastError = (error as Error).message;
        deps.metrics.cdcRestarts.inc();
        deps.log.warn({ error: shared.lastError }, 'change data capture starts again');
      }
      if (performance.now() - startedAt > 30_000) attempt = 0;
      await sleep(backoffMs(attempt, 100, 3_000), stopping.signal);
    }
    shared.state = 'stopped';
  })();

  return {
    status: () => ({ ...shared }),
    async stop() {
      stopping.abort();
      await loop;
    },
  };
}

async function run(
  deps: CdcDeps,
  clickhouse: ClickHouse,
  shared: Shared,
  signal: AbortSignal,
): Promise<void> {
  const leader = await connect(deps);
  let stream: ChangeStream | undefined;
  let timer: NodeJS.Timeout | undefined;
  try {
    await lead(leader, shared, signal);
    if (signal.aborted) return;
    const writer: WriterOptions = {
      clickhouse,
      epoch: await identify(leader, clickhouse),
      signal: abortWith(leader),
      onRetry: (error) => {
        shared.state = 'retrying';
        shared.lastError = error.message;
        deps.log.warn({ error: error.message }, 'ClickHouse did not take rows; trying again');
      },
    };
    const slot = await slotName(leader);
    await ensureSlot(leader, slot, writer, shared);
    stream = await openReplicationStream({
      url: deps.config.databaseUrl,
      slot,
      publication: PUBLICATION,
    });
    timer = setInterval(() => void beat(leader, clickhouse, deps, shared), HEARTBEAT_MS);
    await beat(leader, clickhouse, deps, shared);
    shared.state = 'streaming';
    shared.lastError = null;
    await pump({ deps, stream, writer, leader, shared, signal });
  } finally {
    clearInterval(timer);
    await stream?.close();
    await leader.end().catch(() => {});
  }
}

async function connect({ config }: CdcDeps): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString: config.databaseUrl,
    connectionTimeoutMillis: 5_000,
    application_name: 'assay-cdc-leader',
    keepAlive: true,
    options: '-c timezone=UTC -c datestyle=ISO -c extra_float_digits=1',
  });
  // The loss of this connection is the loss of the lead; abortWith tells the rest.
  client.on('error', () => {});
  await client.connect();
  return client;
}

/** A signal that fires when the connection is lost, and with it the right to write. */
function abortWith(leader: pg.Client): AbortSignal {
  const controller = new AbortController();
  leader.once('end', () => controller.abort(new Error('the lead was lost')));
  return controller.signal;
}

async function lead(leader: pg.Client, shared: Shared, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const { rows } = await leader.query<{ locked: boolean }>(
      'SELECT pg_try_advisory_lock($1) AS locked',
      [LEADER_LOCK],
    );
    if (rows[0]?.locked) return;
    shared.state = 'waiting';
    await sleep(WAIT_FOR_LEADERSHIP_MS, signal);
  }
}

async function identify(leader: pg.Client, clickhouse: ClickHouse): Promise<number> {
  const { rows } = await leader.query<{ system: string; timeline: number }>(
    `SELECT (SELECT system_identifier::text FROM pg_control_system()) AS system,
            (SELECT timeline_id FROM pg_control_checkpoint()) AS timeline`,
  );
  const { system, timeline } = must(rows[0], 'a select without FROM has one row');
  return ensureEpoch(clickhouse, system, timeline);
}

/**
 * Makes sure that the slot is there and that all from before it is copied. In this order, since a
 * change between the two would otherwise be in neither.
 */
async function ensureSlot(
  leader: pg.Client,
  slot: string,
  writer: WriterOptions,
  shared: Shared,
): Promise<void> {
  const found = await findSlot(leader, slot);
  const isUsable = found !== undefined && !found.isLost;
  if (isUsable) {
    const { rowCount } = await leader.query(
      'SELECT FROM cdc_backfills WHERE slot = $1 AND completed_at IS NOT NULL',
      [slot],
    );
    if (rowCount === 1) return;
  } else {
    await leader.query(
      `INSERT INTO cdc_backfills (slot, started_at) VALUES ($1, now())
       ON CONFLICT (slot) DO UPDATE SET started_at = excluded.started_at, completed_at = NULL`,
      [slot],
    );
    if (found !== undefined) await dropSlot(leader, slot);
    await createSlot(leader, slot);
  }
  shared.state = 'backfilling';
  await copyTables(leader, SOURCE, writer);
  await leader.query('UPDATE cdc_backfills SET completed_at = now() WHERE slot = $1', [slot]);
}

/** Moves an idle slot and the watermark on, and reads back how far ClickHouse is behind. */
async function beat(
  leader: pg.Client,
  clickhouse: ClickHouse,
  deps: CdcDeps,
  shared: Shared,
): Promise<void> {
  try {
    await leader.query(
      `INSERT INTO cdc_heartbeat (id, at) VALUES (1, now())
       ON CONFLICT (id) DO UPDATE SET at = excluded.at`,
    );
    const watermark = await readWatermark(clickhouse);
    if (watermark === null) return;
    // The watermark moves once a heartbeat, so up to that age it says nothing of a delay.
    const ageMs = Math.max(0, deps.now() - watermark / 1000);
    if (ageMs > 2 * HEARTBEAT_MS) shared.lagMs = Math.round(ageMs);
    deps.metrics.cdcLag.set((shared.lagMs ?? ageMs) / 1000);
  } catch (error) {
    // The pump meets the same trouble and deals with it; this one only measures.
    deps.log.debug({ error: (error as Error).message }, 'heartbeat failed');
  }
}

interface Pump {
  readonly deps: CdcDeps;
  readonly stream: ChangeStream;
  readonly writer: WriterOptions;
  readonly leader: pg.Client;
  readonly shared: Shared;
  readonly signal: AbortSignal;
}

/** Takes, writes, acknowledges; one flush at a time, so that positions move in order. */
async function pump(context: Pump): Promise<void> {
  const { deps, stream, writer, leader, shared, signal } = context;
  const ended = new Promise<undefined>((resolve, reject) => {
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
    writer.signal.addEventListener('abort', () => reject(writer.signal.reason), { once: true });
  });
  // Someone awaits it only while it waits for batches.
  ended.catch(() => {});
  let watermarkAt = 0;
  while (!signal.aborted) {
    const batches = await Promise.race([stream.next(FLUSH_ROWS, FLUSH_LINGER_MS), ended]);
    const last = batches?.at(-1);
    if (batches === undefined || last === undefined) return;
    const written = await writeChanges(
      writer,
      batches.flatMap(({ changes }) => changes),
    );
    await insertDeadLetters(leader, SOURCE, written.deadLetters);
    const complete = batches.findLast(({ isComplete }) => isComplete);
    if (complete !== undefined && performance.now() - watermarkAt > WATERMARK_MS) {
      await writeWatermark(writer.clickhouse, SOURCE, complete.committedAt, complete.position);
      watermarkAt = performance.now();
    }
    for (const batch of batches) stream.acknowledge(batch);
    shared.lagMs = measure(deps, batches, written);
    shared.state = 'streaming';
  }
}

/** Counts a flush; answers the delay from its newest commit to now, in milliseconds. */
function measure(
  { metrics, now }: CdcDeps,
  batches: readonly ChangeBatch[],
  written: Written,
): number {
  for (const [table, count] of Object.entries(written.rows)) metrics.cdcRows.inc({ table }, count);
  metrics.cdcDeadLetters.inc(written.deadLetters.length);
  const visibleAt = now();
  let delayMs = 0;
  for (const { committedAt, isComplete } of batches) {
    delayMs = Math.max(0, visibleAt - committedAt / 1000);
    if (isComplete) metrics.cdcVisible.observe(delayMs / 1000);
  }
  return Math.round(delayMs);
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
    if (signal.aborted) done();
  });
}
