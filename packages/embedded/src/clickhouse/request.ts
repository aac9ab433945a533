import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { engineError } from './engine-error.ts';
import { settingClause } from './settings.ts';

/** What a request asks for beside its body. */
export interface QueryRequest {
  /** The statement, or its beginning; undefined when it is in the body. */
  readonly query: string | undefined;
  readonly queryId: string | undefined;
  readonly database: string;
  readonly defaultFormat: string;
  /** Typed parameters by name, escaped as the client sent them. */
  readonly parameters: ReadonlyMap<string, string>;
  /** Settings, as `name = value`. */
  readonly settings: readonly string[];
}

/** URL parameters of ClickHouse's HTTP interface that change nothing here. */
const TRANSPORT = new Set([
  'wait_end_of_query',
  'buffer_size',
  'send_progress_in_http_headers',
  'http_headers_progress_interval_ms',
  // The answer may always come uncompressed.
  'enable_http_compression',
  'http_zlib_compression_level',
]);

const header = (request: IncomingMessage, name: string): string | undefined => {
  const value = request.headers[name];
  return typeof value === 'string' ? value : undefined;
};

/** @throws EngineError for a setting or parameter that is not taken */
export function readRequest(request: IncomingMessage, search: URLSearchParams): QueryRequest {
  const parameters = new Map<string, string>();
  const settings: string[] = [];
  for (const [name, value] of search) {
    if (['query', 'query_id', 'database', 'default_format', 'user', 'password'].includes(name)) {
      continue;
    }
    if (/^param_[A-Za-z_]\w*$/.test(name)) parameters.set(name.slice('param_'.length), value);
    else if (!TRANSPORT.has(name)) settings.push(settingClause(name, value));
  }
  return {
    query: search.get('query') ?? undefined,
    queryId: search.get('query_id') ?? undefined,
    database: search.get('database') ?? header(request, 'x-clickhouse-database') ?? 'default',
    defaultFormat:
      search.get('default_format') ?? header(request, 'x-clickhouse-format') ?? 'TabSeparated',
    parameters,
    settings,
  };
}

/** Equal length, whatever was given: nothing can be learnt of a password from the time it takes. */
export const credentialDigest = (user: string, password: string): Buffer =>
  createHash('sha256').update(`${user}:${password}`).digest();

/** @returns what is wrong with the credentials of a request, undefined when they are right */
export function checkCredentials(
  request: IncomingMessage,
  search: URLSearchParams,
  expected: Buffer,
): 'missing' | 'wrong' | undefined {
  const [user, password] = credentialsOf(request, search);
  if (user === undefined && password === undefined) return 'missing';
  const isRight = timingSafeEqual(credentialDigest(user ?? '', password ?? ''), expected);
  return isRight ? undefined : 'wrong';
}

function credentialsOf(
  request: IncomingMessage,
  search: URLSearchParams,
): readonly [string | undefined, string | undefined] {
  const { authorization = '' } = request.headers;
  if (/^basic /i.test(authorization)) {
    const text = Buffer.from(authorization.slice('basic '.length), 'base64').toString();
    const colon = text.indexOf(':');
    return colon < 0 ? [text, ''] : [text.slice(0, colon), text.slice(colon + 1)];
  }
  const user = header(request, 'x-clickhouse-user');
  const key = header(request, 'x-clickhouse-key');
  if (user !== undefined || key !== undefined) return [user, key];
  return [search.get('user') ?? undefined, search.get('password') ?? undefined];
}

export const authenticationError = () =>
  engineError(516, 'AUTHENTICATION_FAILED', 'Authentication failed: wrong user or password.');
