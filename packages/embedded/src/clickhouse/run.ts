import { randomBytes, randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { type Budget, chunksOfLines } from './body.ts';
import { type Engine, execute, prepare, type Written } from './engine.ts';
import { EngineError, engineError } from './engine-error.ts';
import type { Connection } from './pool.ts';
import type { QueryRequest } from './request.ts';
import {
  contentType,
  isLineByLine,
  isStreamable,
  isText,
  type Statement,
  withSettings,
} from './statement.ts';

/** One statement on its way through the engine. */
export interface Job {
  readonly engine: Engine;
  readonly statement: Statement;
  readonly request: QueryRequest;
  readonly response: ServerResponse;
  /** Aborted when the caller has gone. */
  readonly signal: AbortSignal;
}

/** Of a result that must be made whole before it can be sent. */
const WHOLE_BYTES_MAX = 256 * 1024 * 1024;
/** Of a result that is made whole although its format would allow to send it piece by piece. */
const AT_ONCE_BYTES_MAX = 8 * 1024 * 1024;
const TOO_MANY_ROWS_OR_BYTES = 396;
const ROWS_BYTES_MAX = 256 * 1024 * 1024;
/** Up to this size a body is one INSERT, and so is there whole or not at all in each partition. */
const CHUNK_BYTES = 32 * 1024 * 1024;

const needsOf = ({ statement, request }: Job) => ({
  // A view may be made with parameters that its users will give.
  used: statement.verb === 'CREATE' ? [] : statement.parameters,
  database: request.database,
  parameters: request.parameters,
});

/** Runs a statement that reads, and sends what it answers. */
export async function runRead(job: Job): Promise<void> {
  const { engine, response, signal } = job;
  const mark = `/*${randomUUID()}*/ `;
  const connection = await engine.readers.take(signal);
  const settled = new AbortController();
  signal.addEventListener('abort', () => void cancelUntil(settled.signal, engine, mark), {
    signal: settled.signal,
  });
  // From here on the connection is busy until the engine is done, whatever becomes of the caller.
  try {
    await prepare(connection, needsOf(job));
    const format = formatOf(job);
    if (!isStreamable(format)) {
      await sendWhole(connection, job, mark, WHOLE_BYTES_MAX);
      return;
    }
    // Beginning a stream holds up this process while scalar subqueries are computed, so only a
    // result that is found to be large is begun again as one.
    const isSent = await sendWhole(connection, job, mark, AT_ONCE_BYTES_MAX).then(
      () => true,
      (error: EngineError) => {
        if (error.code !== TOO_MANY_ROWS_OR_BYTES) throw error;
        return false;
      },
    );
    if (isSent || response.destroyed) return;
    const sql = mark + withSettings(job.statement, job.request.settings, format);
    await sendStream(connection, sql, format, response);
  } finally {
    settled.abort();
    engine.readers.giveBack(connection);
  }
}

const formatOf = ({ statement, request }: Job): string => statement.format ?? request.defaultFormat;

async function sendWhole(
  connection: Connection,
  job: Job,
  mark: string,
  maxBytes: number,
): Promise<void> {
  const { statement, request, response, signal } = job;
  const format = formatOf(job);
  const limits = [`max_result_bytes = ${maxBytes}`, "result_overflow_mode = 'throw'"];
  const sql = mark + withSettings(statement, [...limits, ...request.settings], format);
  signal.throwIfAborted();
  const result = await execute(connection, sql, format);
  sayFormat(response, format);
  response.setHeader('X-ClickHouse-Summary', summaryOf(result));
  response.end(result.bytes());
}

const CANCEL_EVERY_MS = 200;

/** A statement that has not quite begun is not found yet: asks again until it has ended. */
async function cancelUntil(settled: AbortSignal, engine: Engine, mark: string): Promise<void> {
  while (!settled.aborted) {
    await engine.cancel(mark).catch(() => {
      // Another attempt follows; at last the statement's own time limit ends it.
    });
    await new Promise((resolve) => setTimeout(resolve, CANCEL_EVERY_MS));
  }
}

/** Sends the result as the engine makes it, at the pace of the caller. */
async function sendStream(
  connection: Connection,
  sql: string,
  format: string,
  response: ServerResponse,
): Promise<void> {
  const tag = randomBytes(8).toString('hex');
  sayFormat(response, format);
  response.setHeader('X-ClickHouse-Exception-Tag', tag);
  try {
    // Left early, the loop ends the query too.
    for await (const chunk of connection.session.queryStream(sql, { format })) {
      if (response.destroyed) return;
      if (!response.write(chunk.raw())) await drained(response);
    }
    response.end();
  } catch (error) {
    const failure = new EngineError((error as Error).message);
    if (!response.headersSent) throw failure;
    // Half of a result is out, so the error follows it the way ClickHouse's own server does that.
    const text = `${failure.message}\n`;
    response.end(
      `\r\n__exception__\r\n${tag}\r\n${text}${Buffer.byteLength(text)} ${tag}\r\n__exception__\r\n`,
    );
  }
}

const drained = (response: ServerResponse): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done);
      response.off('close', done);
      resolve();
    };
    response.on('drain', done);
    response.on('close', done);
  });

/** Runs an INSERT … FORMAT on the rows of a body, chunk by chunk. */
export async function runInsert(
  job: Job,
  body: AsyncIterable<Buffer>,
  budget: Budget,
): Promise<void> {
  const { engine, statement, request, response, signal } = job;
  const { format = '' } = statement;
  if (!isText(format)) {
    throw engineError(73, 'UNKNOWN_FORMAT', `Format ${format} is not taken for input here.`);
  }
  const sql = withSettings(statement, request.settings, format);
  // A second chunk under the same token would be dropped as a repetition of the first.
  const isOne = !isLineByLine(format) || /insert_deduplication_token/i.test(sql);
  const limits = {
    chunkBytes: isOne ? Number.POSITIVE_INFINITY : CHUNK_BYTES,
    maxBytes: ROWS_BYTES_MAX,
  };
  const chunks = chunksOfLines(body, limits, budget);
  let connection: Connection | undefined;
  const total = { rowsWritten: 0, bytesWritten: 0, elapsed: 0 };
  try {
    for await (const chunk of chunks) {
      // Only now: a slow sender of a small body holds nobody up.
      if (connection === undefined) {
        connection = await engine.writer.take(signal);
        await prepare(connection, needsOf(job));
      }
      const written: Written = await engine.insertRows(connection, sql, chunk);
      total.rowsWritten += written.rowsWritten;
      total.bytesWritten += written.bytesWritten;
      total.elapsed += written.elapsed;
    }
  } finally {
    if (connection !== undefined) engine.writer.giveBack(connection);
  }
  response.setHeader('X-ClickHouse-Summary', summaryOf(total));
  response.end();
}

/** Runs anything else to its end: it changes something, so it is not stopped half-way. */
export async function runCommand(job: Job): Promise<void> {
  const { engine, statement, request, response, signal } = job;
  const format = formatOf(job);
  const sql = withSettings(statement, request.settings, format);
  const connection = await engine.writer.take(signal);
  try {
    await prepare(connection, needsOf(job));
    const result = await execute(connection, sql, format);
    sayFormat(response, format);
    response.setHeader('X-ClickHouse-Summary', summaryOf(result));
    response.end(result.bytes());
  } finally {
    engine.writer.giveBack(connection);
  }
}

function sayFormat(response: ServerResponse, format: string): void {
  response.setHeader('Content-Type', contentType(format));
  response.setHeader('X-ClickHouse-Format', format);
}

function summaryOf(counts: {
  readonly elapsed: number;
  readonly rowsRead?: number;
  readonly bytesRead?: number;
  readonly rowsWritten?: number;
  readonly bytesWritten?: number;
}): string {
  const text = (count = 0): string => String(Math.round(count));
  return JSON.stringify({
    read_rows: text(counts.rowsRead),
    read_bytes: text(counts.bytesRead),
    written_rows: text(counts.rowsWritten),
    written_bytes: text(counts.bytesWritten),
    total_rows_to_read: '0',
    result_rows: '0',
    result_bytes: '0',
    elapsed_ns: text(counts.elapsed * 1e9),
  });
}
