import pg from 'pg';
import { formatLsn, type Lsn, maxLsn, parseLsn } from './lsn.ts';
import { decodeMessage, type Relation, type Tuple, UNCHANGED } from './pgoutput.ts';
import type { Change, ChangeBatch, ChangeStream } from './source.ts';

export interface ReplicationOptions {
  readonly url: string;
  readonly slot: string;
  readonly publication: string;
}

/** What node-postgres offers for replication without documenting it. */
interface ReplicationClient {
  readonly connection: {
    on(event: 'copyData', listener: (message: { chunk: Buffer }) => void): void;
    sendCopyFromChunk(chunk: Buffer): void;
    readonly stream: { pause(): void; resume(): void };
  };
}

const STATUS_INTERVAL_MS = 1_000;
/** A server that says nothing for that long is taken for dead; it sends keepalives at 30 s. */
const SILENCE_MAX_MS = 75_000;
/** Rows kept in memory before the connection is paused. */
const BUFFER_ROWS_MAX = 20_000;
/** A transaction with more rows is handed on in parts. */
const PART_ROWS_MAX = 10_000;
const POSTGRES_EPOCH_MS = 946_684_800_000;

/** State of one connection; thrown away with it, since the slot knows where to go on. */
interface State {
  readonly relations: Map<number, Relation>;
  readonly ready: ChangeBatch[];
  readyRows: number;
  /** Rows of the transaction that is being received. */
  open: Change[] | undefined;
  openCommitTime: number;
  /** Whether batches were handed out that are not acknowledged yet. */
  unacknowledged: number;
  durable: Lsn;
  lastHeardAt: number;
  error: Error | undefined;
  wake: (() => void) | undefined;
  isPaused: boolean;
}

/**
 * Opens a slot and reads it. The position that is reported back to PostgreSQL is exactly the end
 * of the last transaction that was acknowledged, never one byte more: a transaction may begin at
 * that byte.
 */
export async function openReplicationStream(options: ReplicationOptions): Promise<ChangeStream> {
  const client = new pg.Client({
    connectionString: options.url,
    replication: 'database',
    connectionTimeoutMillis: 5_000,
    keepAlive: true,
    application_name: 'assay-cdc',
    options: '-c timezone=UTC -c datestyle=ISO -c extra_float_digits=1 -c statement_timeout=0',
  } as pg.ClientConfig) as pg.Client & ReplicationClient;
  const state = createState();
  const fail = (error: Error): void => {
    state.error ??= error;
    state.wake?.();
  };
  client.on('error', fail);
  client.on('end', () => fail(new Error('the replication connection ended')));
  await client.connect();

  client.connection.on('copyData', ({ chunk }) => {
    try {
      receive(state, chunk, () => sendStatus(client, state));
      if (state.readyRows > BUFFER_ROWS_MAX && !state.isPaused) {
        state.isPaused = true;
        client.connection.stream.pause();
      }
    } catch (error) {
      fail(error as Error);
    }
  });
  const slot = pg.escapeIdentifier(options.slot);
  const publication = pg.escapeLiteral(options.publication);
  // Resolves only when streaming ends. 0/0: the server knows where this slot goes on.
  client
    .query(
      `START_REPLICATION SLOT ${slot} LOGICAL 0/0 (proto_version '1', publication_names ${publication})`,
    )
    .then(() => fail(new Error('replication ended')), fail);

  // On its own timer: a paused reader must still tell the server that it lives.
  const timer = setInterval(() => {
    const isSilent = !state.isPaused && Date.now() - state.lastHeardAt > SILENCE_MAX_MS;
    if (isSilent) fail(new Error(`no word from PostgreSQL for ${SILENCE_MAX_MS / 1000} s`));
    else if (state.error === undefined) sendStatus(client, state);
  }, STATUS_INTERVAL_MS);

  return {
    next: (maxRows, lingerMs) => takeBatches(client, state, maxRows, lingerMs),
    acknowledge(batch) {
      state.unacknowledged = Math.max(0, state.unacknowledged - 1);
      if (!batch.isComplete) return;
      state.durable = maxLsn(state.durable, parseLsn(batch.position));
      if (state.error === undefined) sendStatus(client, state);
    },
    async close() {
      clearInterval(timer);
      if (state.error === undefined) sendStatus(client, state);
      fail(new Error('closed'));
      await client.end().catch(() => {});
    },
  };
}

function createState(): State {
  return {
    relations: new Map(),
    ready: [],
    readyRows: 0,
    open: undefined,
    openCommitTime: 0,
    unacknowledged: 0,
    durable: 0n,
    lastHeardAt: Date.now(),
    error: undefined,
    wake: undefined,
    isPaused: false,
  };
}

const XLOG_DATA = 0x77; // 'w'
const KEEPALIVE = 0x6b; // 'k'

function receive(state: State, chunk: Buffer, reply: () => void): void {
  state.lastHeardAt = Date.now();
  if (chunk[0] === XLOG_DATA) {
    handleMessage(state, chunk.readBigUInt64BE(1), chunk.subarray(25));
  } else if (chunk[0] === KEEPALIVE) {
    const walEnd = chunk.readBigUInt64BE(1);
    // Nothing of ours is under way: what lies between is not for us, and an idle slot moves on.
    const isIdle =
      state.ready.length === 0 && state.unacknowledged === 0 && state.open === undefined;
    if (isIdle) state.durable = maxLsn(state.durable, walEnd);
    if (chunk[17] === 1) reply();
  }
}

function handleMessage(state: State, lsn: Lsn, payload: Buffer): void {
  const message = decodeMessage(payload);
  switch (message.kind) {
    case 'begin':
      state.open = [];
      state.openCommitTime = message.commitTime;
      return;
    case 'commit':
      push(state, message.commitTime, true, formatLsn(message.endLsn));
      state.open = undefined;
      return;
    case 'relation':
      state.relations.set(message.relation.id, message.relation);
      return;
    case 'insert':
      add(state, toChange(state, 'insert', message.relationId, message.row, lsn));
      return;
    case 'update':
      add(state, toChange(state, 'update', message.relationId, message.row, lsn));
      return;
    case 'delete':
      add(state, toChange(state, 'delete', message.relationId, message.old, lsn));
      return;
    case 'truncate':
      throw new Error('a captured table was truncated, which the publication does not publish');
    case 'other':
      return;
  }
}

function add(state: State, change: Change): void {
  if (state.open === undefined) throw new Error('a change outside of a transaction');
  state.open.push(change);
  if (state.open.length >= PART_ROWS_MAX) push(state, state.openCommitTime, false, '0/0');
}

function push(state: State, committedAt: number, isComplete: boolean, position: string): void {
  const changes = state.open ?? [];
  state.open = [];
  state.ready.push({ changes, committedAt, isComplete, position });
  state.readyRows += changes.length;
  state.wake?.();
}

function toChange(
  state: State,
  operation: Change['operation'],
  relationId: number,
  tuple: Tuple,
  lsn: Lsn,
): Change {
  const relation = state.relations.get(relationId);
  if (relation === undefined) throw new Error(`a change of the unknown relation ${relationId}`);
  const row: Record<string, string | null> = {};
  const unsent: string[] = [];
  relation.columns.forEach(({ name, isKey }, index) => {
    const value = tuple[index];
    if (value === UNCHANGED) unsent.push(name);
    // The old row of a delete has nulls where it has no key columns, which say nothing.
    else if (value !== undefined && (operation !== 'delete' || isKey)) row[name] = value;
  });
  return { table: relation.table, operation, row, unsent, lsn };
}

async function takeBatches(
  client: ReplicationClient,
  state: State,
  maxRows: number,
  lingerMs: number,
): Promise<readonly ChangeBatch[]> {
  while (state.ready.length === 0) await wakened(state);
  if (state.readyRows < maxRows) await wakened(state, lingerMs, maxRows);
  let rows = 0;
  let count = 0;
  for (const { changes } of state.ready) {
    if (count > 0 && rows + changes.length > maxRows) break;
    rows += changes.length;
    count++;
  }
  const taken = state.ready.splice(0, count);
  state.readyRows -= rows;
  state.unacknowledged += taken.length;
  if (state.isPaused && state.readyRows < BUFFER_ROWS_MAX / 2 && state.error === undefined) {
    state.isPaused = false;
    state.lastHeardAt = Date.now();
    client.connection.stream.resume();
  }
  return taken;
}

/** Waits for anything to happen; with `lingerMs` until then, or until there are `maxRows`. */
async function wakened(state: State, lingerMs?: number, maxRows = 1): Promise<void> {
  const deadline = lingerMs === undefined ? undefined : performance.now() + lingerMs;
  for (;;) {
    if (state.error !== undefined) throw state.error;
    if (state.readyRows >= maxRows && maxRows > 1) return;
    const left = deadline === undefined ? undefined : deadline - performance.now();
    if (left !== undefined && left <= 0) return;
    await new Promise<void>((resolve) => {
      const timer = left === undefined ? undefined : setTimeout(resolve, left);
      state.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    state.wake = undefined;
    if (deadline === undefined && state.ready.length > 0) return;
  }
}

/** Standby status update: written, flushed and applied up to what is durable in the sink. */
function sendStatus(client: ReplicationClient, { durable }: State): void {
  const message = Buffer.alloc(34);
  message.write('r', 0);
  message.writeBigUInt64BE(durable, 1);
  message.writeBigUInt64BE(durable, 9);
  message.writeBigUInt64BE(durable, 17);
  message.writeBigInt64BE(BigInt(Date.now() - POSTGRES_EPOCH_MS) * 1000n, 25);
  client.connection.sendCopyFromChunk(message);
}
