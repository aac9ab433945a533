import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type Budget, createBudget, openBody, readText } from './body.ts';
import type { Engine } from './engine.ts';
import { EngineError, engineError, statusOf } from './engine-error.ts';
import {
  authenticationError,
  checkCredentials,
  credentialDigest,
  type QueryRequest,
  readRequest,
} from './request.ts';
import { type Job, runCommand, runInsert, runRead } from './run.ts';
import { readStatement } from './statement.ts';

export interface EndpointOptions {
  readonly user: string;
  readonly password: string;
  readonly engine: Engine;
}

/** Of a statement in the body, with the values that stand in it. */
const STATEMENT_BYTES_MAX = 4 * 1024 * 1024;
/** Of rows being received, all requests together. */
const RECEIVING_BYTES_MAX = 512 * 1024 * 1024;

interface Context extends EndpointOptions {
  readonly expected: Buffer;
  readonly budget: Budget;
}

/** An HTTP server that speaks as much of ClickHouse's interface as `@clickhouse/client` uses. */
export function createEndpoint(options: EndpointOptions): Server {
  const context: Context = {
    ...options,
    expected: credentialDigest(options.user, options.password),
    budget: createBudget(RECEIVING_BYTES_MAX),
  };
  // Parameters stand in the URL: as long as ClickHouse's own server takes it (http_max_uri_size).
  const server = createServer({ keepAliveTimeout: 30_000, maxHeaderSize: 1024 * 1024 });
  // A long query sends nothing for long; the bodies have their own limit.
  server.requestTimeout = 0;
  server.on('request', (request, response) => {
    handle(context, request, response).catch((error: Error) => sendError(response, error));
  });
  return server;
}

async function handle(
  context: Context,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const isPing = url.pathname === '/ping' || (request.method === 'GET' && url.search === '');
  if (isPing) {
    response.end('Ok.\n');
    return;
  }
  const refusal = checkCredentials(request, url.searchParams, context.expected);
  if (refusal !== undefined) {
    if (refusal === 'missing') {
      response.setHeader('WWW-Authenticate', 'Basic realm="ClickHouse"');
      response.statusCode = 401;
    }
    throw authenticationError();
  }
  const query = readRequest(request, url.searchParams);
  response.setHeader('X-ClickHouse-Query-Id', query.queryId ?? randomUUID());
  const gone = new AbortController();
  response.once('close', () => gone.abort(new Error('the caller has gone')));
  await run(context, { query, request, response, signal: gone.signal });
}

async function run(
  { engine, budget }: Context,
  call: {
    readonly query: QueryRequest;
    readonly request: IncomingMessage;
    readonly response: ServerResponse;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { query, request, response, signal } = call;
  const body = openBody(request);
  const jobOf = (text: string): Job => ({
    engine,
    statement: readStatement(text),
    request: query,
    response,
    signal,
  });
  if (query.query !== undefined) {
    const job = jobOf(query.query);
    if (job.statement.rows !== undefined && request.method !== 'GET') {
      return runInsert(job, concat(job.statement.rows, body), budget);
    }
  }
  const text = await readText(body, STATEMENT_BYTES_MAX);
  const job = jobOf([query.query, text].filter((part) => part).join('\n'));
  const { kind, rows } = job.statement;
  if (kind === 'read') return runRead(job);
  if (request.method === 'GET') {
    throw engineError(164, 'READONLY', 'A GET request only reads; send this with POST.');
  }
  return rows === undefined ? runCommand(job) : runInsert(job, concat(rows, []), budget);
}

async function* concat(
  first: string,
  rest: AsyncIterable<Buffer> | Iterable<Buffer>,
): AsyncGenerator<Buffer> {
  if (first !== '') yield Buffer.from(`${first}\n`);
  yield* rest;
}

function sendError(response: ServerResponse, error: Error): void {
  if (response.headersSent || response.destroyed) {
    // Half of a result is out: only a broken connection tells the client that it is not whole.
    response.destroy();
    return;
  }
  const code = error instanceof EngineError ? error.code : undefined;
  if (response.statusCode === 200) response.statusCode = statusOf(code);
  // What is left of the body is not read; the connection could not be used again.
  if (!response.req.complete) response.setHeader('Connection', 'close');
  response.setHeader('Content-Type', 'text/plain; charset=UTF-8');
  response.setHeader('X-ClickHouse-Exception-Code', String(code ?? 1002));
  response.removeHeader('X-ClickHouse-Exception-Tag');
  response.end(
    code === undefined
      ? `Code: 1002. DB::Exception: ${error.message} (UNKNOWN_EXCEPTION)\n`
      : `${error.message}\n`,
  );
}
