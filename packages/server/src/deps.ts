import type { Config } from './config.ts';
import type { ClickHouse } from './platform/clickhouse.ts';
import type { Log } from './platform/logger.ts';
import type { Metrics } from './platform/metrics.ts';
import type { Pool } from './platform/postgres.ts';

/**
 * What a process connects to, built once in bin/ and passed down; a function names the part it
 * uses: `Pick<Deps, 'db'>`.
 */
export interface Deps {
  readonly config: Config;
  readonly db: Pool;
  /** A few connections for results: their statements take seconds, and must not hold up the rest. */
  readonly resultsDb: Pool;
  /** Undefined with CLICKHOUSE_URL=none. */
  readonly clickhouse: ClickHouse | undefined;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}
