import { createHash, randomUUID, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type Connection, EngineError, engineError, execute, type Pool, prepare } from './pool.ts';
import {
  contentType,
  errorCode,
  formatOf,
  isReadOnly,
  isStreamable,
  statusOf,
} from './statement.ts';

export interface EndpointOptions {
  readonly user: string;
  readonly password: string;
  /** One connection: writes are in order, and the engine sees no two inserts at once. */
  readonly writer: Pool;
  readonly readers: Pool;
  readonly maxBodyBytes: number;
}

/** URL parameters of ClickHouse's HTTP interface that say nothing to the engine. */
const TRANSPORT_PARAMETERS = new Set([
  'query',
  'database',
  'default_format',
  'query_id',
  'session_id',
  'role',
  'wait_end_of_query',
  'buffer_size',
  'send_progress_in_http_headers',
  'http_headers_progress_interval_ms',
  'enable_http_compression',
]);

const DIGEST = 'sha256';
const digest = (text: string): Buffer => createHash(DIGEST).update(text).digest();

/** An HTTP server that speaks as much of ClickHouse's interface as `@clickhouse/client` uses. */
export function createEndpoint(options: EndpointOptions): Server {
  const expected = digest(`${options.user}:${options.password}`);
  const server = createServer({ keepAliveTimeout: 30_000 }, (request, response) => {
    const queryId = randomUUID();
    handle(request, response, options, expected, queryId).catch((error: Error) =>
      sendError(response, error, queryId),
    );
  });
  server.requestTimeout = 0;
  return server;
}

async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  options: EndpointOptions,
  expected: Buffer,
  fallbackId: string,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://localhost');
  if (url.pathname === '/ping') {
    response.end('Ok.\n');
    return;
  }
  if (!isAuthorised(request, expected)) {
    throw engineError(
      516,
      'AUTHENTICATION_FAILED',
      'Authentication failed: wrong user or password.',
    );
  }
  const parameters = readParameters(url.searchParams);
  const body = await readBody(request, options.maxBodyBytes);
  const inUrl = url.searchParams.get('query');
  const text = inUrl === null ? body : body === '' ? inUrl : `${inUrl}\n${body}`;
  // Only the statement itself is looked at, never the rows that follow it.
  const statement = inUrl ?? body;
  if (statement.trim() === '') throw engineError(62, 'SYNTAX_ERROR', 'Empty query.');

  const pool = isReadOnly(statement) ? options.readers : options.writer;
  const connection = await pool.take();
  // From here on the connection is busy until the engine is done, whatever becomes of the caller.
  try {
    await prepare(connection, {
      sql: statement,
      database: url.searchParams.get('database') ?? 'default',
      parameters,
    });
    response.setHeader('X-ClickHouse-Query-Id', url.searchParams.get('query_id') ?? fallbackId);
    const format = formatOf(statement) ?? url.searchParams.get('default_format') ?? 'TabSeparated';
    response.setHeader('Content-Type', contentType(format));
    response.setHeader('X-ClickHouse-Format', format);
    if (pool === options.readers && isStreamable(format)) {
      await stream(connection, text, format, response);
    } else {
      response.end(await execute(connection, text, format));
    }
  } finally {
    pool.giveBack(connection);
  }
}

/** Sends the result as the engine makes it; an abandoned caller ends the query at the next chunk. */
async function stream(
  connection: Connection,
  sql: string,
  format: string,
  response: ServerResponse,
): Promise<void> {
  const chunks = connection.session.queryStream(sql, { format });
  const iterator = chunks[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await iterator.next();
      if (next.done) break;
      if (response.destroyed) return;
      if (!response.write(next.value.raw())) await drained(response);
    }
    response.end();
  } catch (error) {
    throw new EngineError((error as Error).message);
  } finally {
    chunks.cancel();
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

function isAuthorised(request: IncomingMessage, expected: Buffer): boolean {
  const { authorization = '' } = request.headers;
  const user = request.headers['x-clickhouse-user'];
  const given = authorization.startsWith('Basic ')
    ? Buffer.from(authorization.slice('Basic '.length), 'base64').toString()
    : `${user ?? ''}:${request.headers['x-clickhouse-key'] ?? ''}`;
  return timingSafeEqual(digest(given), expected);
}

/**
 * The typed parameters of a request.
 *
 * @throws EngineError for a setting: on this engine it would stay on the connection, so settings
 *   belong into the statement, as `SETTINGS name = value`
 */
function readParameters(search: URLSearchParams): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  for (const [name, value] of search) {
    if (/^param_[A-Za-z_]\w*$/.test(name)) parameters.set(name.slice('param_'.length), value);
    else if (!TRANSPORT_PARAMETERS.has(name)) {
      throw engineError(
        115,
        'UNKNOWN_SETTING',
        `Setting ${name} is not taken from the URL; put it into the statement: SETTINGS ${name} = …`,
      );
    }
  }
  return parameters;
}

async function readBody(request: IncomingMessage, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) {
      throw engineError(
        307,
        'TOO_MANY_BYTES',
        `The body has more than ${maxBytes} bytes; send it in parts.`,
      );
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function sendError(response: ServerResponse, error: Error, queryId: string): void {
  if (response.headersSent || response.destroyed) {
    // Half of a result is out: only a broken connection tells the client that it is not whole.
    response.destroy();
    return;
  }
  const code = error instanceof EngineError ? error.code : errorCode(error.message);
  response.statusCode = statusOf(code);
  response.setHeader('Content-Type', 'text/plain; charset=UTF-8');
  response.setHeader('X-ClickHouse-Query-Id', queryId);
  response.setHeader('X-ClickHouse-Exception-Code', String(code ?? 1000));
  response.end(
    code === undefined
      ? `Code: 1000. DB::Exception: ${error.message} (UNKNOWN_EXCEPTION)`
      : error.message,
  );
}
