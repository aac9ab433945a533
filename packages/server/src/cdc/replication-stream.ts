import pg from 'pg';
import { type Lsn, maxLsn, parseLsn } from './lsn.ts';
import { decodeMessage, POSTGRES_EPOCH_MICROS } from './pgoutput.ts';
import type { ChangeBatch, ChangeStream, FlushLimits } from './source.ts';
import { type Assembly, assemble, createAssembly } from './transactions.ts';

export interface ReplicationOptions {
  readonly url: string;
  readonly slot: string;
  readonly publication: string;
}

/** What node-postgres offers for replication without documenting it. */
interface Replicating {
  readonly connection: {
    on(event: 'copyData', listener: (message: { chunk: Buffer }) => void): void;
    once(event: 'replicationStart', listener: () => void): void;
    sendCopyFromChunk(chunk: Buffer): void;
    endCopyFrom(): void;
    readonly stream: { pause(): void; resume(): void; destroy(): void };
  };
}

type ReplicationClient = pg.Client & Replicating;

const STATUS_INTERVAL_MS = 1_000;
/** A server that was silent for so long is asked for a word, and then taken for dead. */
const SILENCE_ASK_MS = 10_000;
const SILENCE_MAX_MS = 30_000;
const START_TIMEOUT_MS = 15_000;
const CLOSE_TIMEOUT_MS = 1_500;
/** Beyond either the connection is paused: what waits, waits in the server's WAL. */
const BUFFER_ROWS_MAX = 20_000;
const BUFFER_BYTES_MAX = 32 * 1024 * 1024;

interface Queued {
  readonly batch: ChangeBatch;
  /** On the clock of `performance.now()`. */
  readonly receivedAt: number;
}

/** State of one connection; thrown away with it, since the slot knows where to go on. */
interface State {
  readonly assembly: Assembly;
  ready: Queued[];
  readyRows: number;
  readyBytes: number;
  /** Batches that were handed out and are not acknowledged yet. */
  unacknowledged: number;
  /** Where the last acknowledged transaction ends. */
  durable: Lsn;
  lastHeardAt: number;
  error: Error | undefined;
  isPaused: boolean;
  /** Who waits for batches, and what for. */
  waiter: { readonly limits: FlushLimits; readonly wake: () => void } | undefined;
}

/**
 * Opens a slot and reads it. The position that is reported back to PostgreSQL is exactly the end
 * of the last transaction that was acknowledged, never one byte more: a transaction may begin at
 * that byte.
 *
 * @throws pg.DatabaseError with code 55006 when another connection reads the slot
 */
export async function openReplicationStream(options: ReplicationOptions): Promise<ChangeStream> {
  const client = createClient(options.url);
  const state = createState();
  const fail = (error: Error): void => {
    state.error ??= error;
    state.waiter?.wake();
  };
  client.on('error', fail);
  client.on('end', () => fail(new Error('the replication connection ended')));
  await client.connect();
  client.connection.on('copyData', ({ chunk }) => {
    if (state.error !== undefined) return;
    try {
      receive(client, state, chunk);
    } catch (error) {
      fail(error as Error);
    }
  });
  const ended = startReplication(client, options, fail);
  try {
    await ended.started;
  } catch (error) {
    fail(error as Error);
    await client.end();
    throw error;
  }
  // On its own timer: a paused reader must still tell the server that it lives.
  const timer = setInterval(() => {
    if (state.error !== undefined) return;
    const silentMs = state.isPaused ? 0 : performance.now() - state.lastHeardAt;
    if (silentMs > SILENCE_MAX_MS) fail(new Error(`no word from PostgreSQL for ${silentMs} ms`));
    else sendStatus(client, state, silentMs > SILENCE_ASK_MS);
  }, STATUS_INTERVAL_MS);

  return {
    next: (limits, signal) => takeBatches(client, state, limits, signal),
    acknowledge(batch) {
      state.unacknowledged = Math.max(0, state.unacknowledged - 1);
      if (!batch.isComplete) return;
      state.durable = maxLsn(state.durable, parseLsn(batch.position));
      if (state.error === undefined) sendStatus(client, state, false);
    },
    async close() {
      clearInterval(timer);
      const wasWell = state.error === undefined;
      if (wasWell) sendStatus(client, state, false);
      fail(new Error('the stream was closed'));
      // What still comes is thrown away; a paused socket would never see its end.
      client.connection.stream.resume();
      if (wasWell) {
        // Not cut off, so that the server has read the last position before the connection ends.
        client.connection.endCopyFrom();
        await within(CLOSE_TIMEOUT_MS, ended.done);
      }
      await client.end();
    },
  };
}

function createClient(url: string): ReplicationClient {
  return new pg.Client({
    connectionString: url,
    replication: 'database',
    connectionTimeoutMillis: 5_000,
    keepAlive: true,
    application_name: 'assay-cdc',
    // A worker that vanished without a word must not keep the slot from the next one for long.
    options:
      '-c timezone=UTC -c datestyle=ISO -c extra_float_digits=1 -c statement_timeout=0 -c wal_sender_timeout=20s',
  } as pg.ClientConfig) as ReplicationClient;
}

function createState(): State {
  return {
    assembly: createAssembly(),
    ready: [],
    readyRows: 0,
    readyBytes: 0,
    unacknowledged: 0,
    durable: 0n,
    lastHeardAt: performance.now(),
    error: undefined,
    isPaused: false,
    waiter: undefined,
  };
}

interface Replication {
  /** Resolves when the server streams. */
  readonly started: Promise<void>;
  /** Resolves when it does no longer. */
  readonly done: Promise<void>;
}

function startReplication(
  client: ReplicationClient,
  { slot, publication }: ReplicationOptions,
  fail: (error: Error) => void,
): Replication {
  let timer: NodeJS.Timeout | undefined;
  const started = new Promise<void>((resolve, reject) => {
    client.connection.once('replicationStart', resolve);
    client.once('error', reject);
    client.once('end', () => reject(new Error('the replication connection ended')));
    timer = setTimeout(() => reject(new Error('replication did not start')), START_TIMEOUT_MS);
  });
  // 0/0: the server knows where this slot goes on. Resolves only when streaming ends.
  const query = client.query(
    `START_REPLICATION SLOT ${pg.escapeIdentifier(slot)} LOGICAL 0/0
     (proto_version '1', publication_names ${pg.escapeLiteral(publication)})`,
  );
  const done = query.then(() => fail(new Error('the server ended replication')), fail);
  return {
    started: Promise.race([
      started,
      // Refused: its own error says more than that of a connection that is ended afterwards.
      query.then(() => {
        throw new Error('the server ended replication');
      }),
    ]).finally(() => clearTimeout(timer)),
    done,
  };
}

const XLOG_DATA = 0x77; // 'w'
const KEEPALIVE = 0x6b; // 'k'
const XLOG_HEADER_BYTES = 25;

function receive(client: ReplicationClient, state: State, chunk: Buffer): void {
  state.lastHeardAt = performance.now();
  if (chunk[0] === XLOG_DATA) {
    const message = decodeMessage(chunk.subarray(XLOG_HEADER_BYTES));
    const batch = assemble(state.assembly, message, chunk.readBigUInt64BE(1), chunk.length);
    if (batch !== undefined) push(client, state, batch);
  } else if (chunk[0] === KEEPALIVE) {
    // Nothing of ours is under way: what lies between is not for us, and an idle slot moves on.
    const isIdle =
      state.ready.length === 0 && state.unacknowledged === 0 && state.assembly.open === undefined;
    if (isIdle) state.durable = maxLsn(state.durable, chunk.readBigUInt64BE(1));
    if (chunk[17] === 1) sendStatus(client, state, false);
  }
}

function push(client: ReplicationClient, state: State, batch: ChangeBatch): void {
  state.ready.push({ batch, receivedAt: performance.now() });
  state.readyRows += batch.changes.length;
  state.readyBytes += batch.bytes;
  const isFull = state.readyRows > BUFFER_ROWS_MAX || state.readyBytes > BUFFER_BYTES_MAX;
  if (isFull && !state.isPaused) {
    state.isPaused = true;
    client.connection.stream.pause();
  }
  const { waiter } = state;
  // The first one starts the linger; those between it and the limit change nothing.
  if (waiter !== undefined && (state.ready.length === 1 || isReached(state, waiter.limits))) {
    waiter.wake();
  }
}

function isReached({ readyRows, readyBytes }: State, { maxRows, maxBytes }: FlushLimits): boolean {
  return readyRows >= maxRows || readyBytes >= maxBytes;
}

async function takeBatches(
  client: ReplicationClient,
  state: State,
  limits: FlushLimits,
  signal: AbortSignal,
): Promise<readonly ChangeBatch[]> {
  for (;;) {
    if (state.error !== undefined) throw state.error;
    if (signal.aborted) return [];
    const [oldest] = state.ready;
    const leftMs =
      oldest === undefined ? undefined : oldest.receivedAt + limits.lingerMs - performance.now();
    if (isReached(state, limits) || (leftMs !== undefined && leftMs <= 0)) break;
    await wakened(state, limits, leftMs, signal);
  }
  return take(client, state, limits);
}

/** Waits until there is a reason to look again. */
function wakened(
  state: State,
  limits: FlushLimits,
  timeoutMs: number | undefined,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve) => {
    const wake = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', wake);
      state.waiter = undefined;
      resolve();
    };
    const timer = timeoutMs === undefined ? undefined : setTimeout(wake, timeoutMs);
    signal.addEventListener('abort', wake);
    state.waiter = { limits, wake };
  });
}

function take(
  client: ReplicationClient,
  state: State,
  { maxRows, maxBytes }: FlushLimits,
): readonly ChangeBatch[] {
  let rows = 0;
  let bytes = 0;
  let count = 0;
  for (const { batch } of state.ready) {
    const isTooMuch = rows + batch.changes.length > maxRows || bytes + batch.bytes > maxBytes;
    if (count > 0 && isTooMuch) break;
    rows += batch.changes.length;
    bytes += batch.bytes;
    count++;
  }
  const taken = state.ready.slice(0, count).map(({ batch }) => batch);
  state.ready = state.ready.slice(count);
  state.readyRows -= rows;
  state.readyBytes -= bytes;
  state.unacknowledged += count;
  const hasRoom = state.readyRows < BUFFER_ROWS_MAX / 2 && state.readyBytes < BUFFER_BYTES_MAX / 2;
  if (state.isPaused && hasRoom) {
    state.isPaused = false;
    state.lastHeardAt = performance.now();
    client.connection.stream.resume();
  }
  return taken;
}

/** Standby status update: written, flushed and applied up to what is durable in the sink. */
function sendStatus(client: ReplicationClient, { durable }: State, asksForWord: boolean): void {
  const message = Buffer.alloc(34);
  message.write('r', 0);
  message.writeBigUInt64BE(durable, 1);
  message.writeBigUInt64BE(durable, 9);
  message.writeBigUInt64BE(durable, 17);
  message.writeBigInt64BE(BigInt(Date.now() * 1_000 - POSTGRES_EPOCH_MICROS), 25);
  message.writeUInt8(asksForWord ? 1 : 0, 33);
  client.connection.sendCopyFromChunk(message);
}

/** What a database says of itself on a replication connection. */
export interface SystemIdentity {
  readonly system: string;
  /** Goes up when a standby or a restored backup becomes the primary. */
  readonly timeline: number;
  /** How far WAL is flushed. */
  readonly flushed: Lsn;
}

/** Asks on a connection of its own, made for it and ended afterwards. */
export async function identifySystem(url: string): Promise<SystemIdentity> {
  const client = createClient(url);
  // A lost connection fails the query; without a listener it would end the process as well.
  client.on('error', () => {});
  await client.connect();
  try {
    const result = await client.query<{ systemid: string; timeline: number; xlogpos: string }>({
      text: 'IDENTIFY_SYSTEM',
      query_timeout: 5_000,
    } as pg.QueryConfig);
    const [row] = result.rows;
    if (row === undefined) throw new Error('the server does not identify itself');
    return { system: row.systemid, timeline: Number(row.timeline), flushed: parseLsn(row.xlogpos) };
  } finally {
    await client.end();
  }
}

/** Waits for `work`, but not longer. */
async function within(timeoutMs: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise((resolve) => {
    timer = setTimeout(resolve, timeoutMs);
  });
  await Promise.race([work, timeout]).finally(() => clearTimeout(timer));
}
