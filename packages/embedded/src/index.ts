export { hasClickHouse, type RunningClickHouse, startClickHouse } from './clickhouse/server.ts';
export { type RunningPostgres, startPostgres } from './postgres/server.ts';
