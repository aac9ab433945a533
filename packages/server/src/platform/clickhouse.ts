import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client';

export type ClickHouse = ClickHouseClient;

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
