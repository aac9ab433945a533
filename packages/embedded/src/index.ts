export { hasClickHouse, type RunningClickHouse, startClickHouse } from './clickhouse/server.ts';
export { SERVER_FLAGS } from './launcher/server-process.ts';
export { type RunningPostgres, startPostgres } from './postgres/server.ts';
