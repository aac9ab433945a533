import {
  type ClickHouseClient,
  ClickHouseLogLevel,
  createClient,
  type QueryParams,
} from '@clickhouse/client';

export type ClickHouse = ClickHouseClient;

/**
 * ClickHouse, or the way to it, gave no answer that can be read: refused, cut off, too late or an
 * error of its own. The cause is what its client threw, which tells of these by no common type.
 */
export class ClickHouseFailure extends Error {
  override readonly name = 'ClickHouseFailure';
}

/**
 * The rows of a statement.
 *
 * @throws ClickHouseFailure, and nothing else; also for a statement that ClickHouse does not take
 */
export async function rowsOf<Row>(
  clickhouse: ClickHouse,
  statement: Pick<QueryParams, 'query' | 'query_params' | 'abort_signal'>,
): Promise<readonly Row[]> {
  try {
    const result = await clickhouse.query({ ...statement, format: 'JSONEachRow' });
    return await result.json<Row>();
  } catch (cause) {
    throw new ClickHouseFailure((cause as Error).message, { cause });
  }
}

/**
 * A client of ClickHouse over HTTP. Settings never go into `clickhouse_settings`: the embedded
 * engine keeps them on its session, so each statement carries its own SETTINGS clause.
 *
 * @param url http(s)://user:password@host:port/database
 */
export function connectClickHouse(url: string, requestTimeoutMs = 30_000): ClickHouse {
  return createClient({
    url,
    request_timeout: requestTimeoutMs,
    max_open_connections: 8,
    application: 'assay',
    // Errors reach the caller, who knows whether they matter.
    log: { level: ClickHouseLogLevel.OFF },
    compression: { request: false, response: false },
    keep_alive: { enabled: true, idle_socket_ttl: 2_000 },
  });
}
