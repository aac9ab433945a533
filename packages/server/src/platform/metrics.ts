import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

export type Metrics = ReturnType<typeof createMetrics>;

/** Everything that a process measures of itself, in one registry of its own. */
export function createMetrics() {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  return {
    registry,
    httpDuration: new Histogram({
      name: 'assay_http_request_duration_seconds',
      help: 'Time from request to answer, by route pattern',
      labelNames: ['method', 'route', 'status'] as const,
      buckets: [0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
      registers,
    }),
    ingestItems: new Counter({
      name: 'assay_ingest_items_total',
      help: 'Events and exposures answered, by outcome',
      labelNames: ['kind', 'status'] as const,
      registers,
    }),
    groupCommitSize: new Histogram({
      name: 'assay_group_commit_rows',
      help: 'Rows written by one group commit',
      labelNames: ['group'] as const,
      buckets: [1, 2, 5, 10, 50, 100, 500, 1000, 2500, 5000],
      registers,
    }),
    groupCommitDuration: new Histogram({
      name: 'assay_group_commit_duration_seconds',
      help: 'Time of one group commit in PostgreSQL',
      labelNames: ['group'] as const,
      buckets: [0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5],
      registers,
    }),
    ...createCdcMetrics(registers),
    poolConnections: new Gauge({
      name: 'assay_postgres_pool_connections',
      help: 'Connections of the PostgreSQL pool, by state',
      labelNames: ['pool', 'state'] as const,
      registers,
    }),
    configVersion: new Gauge({
      name: 'assay_config_version',
      help: 'Version of the configuration that this process evaluates with',
      registers,
    }),
  };
}

function createCdcMetrics(registers: Registry[]) {
  return {
    cdcLag: new Gauge({
      name: 'assay_cdc_lag_seconds',
      help: 'Now minus the newest heartbeat read back from ClickHouse',
      registers,
    }),
    cdcVisible: new Histogram({
      name: 'assay_cdc_commit_to_visible_seconds',
      help: 'From commit in PostgreSQL to inserted in ClickHouse, per transaction',
      buckets: [0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 60],
      registers,
    }),
    cdcRows: new Counter({
      name: 'assay_cdc_rows_total',
      help: 'Rows inserted into ClickHouse, by table',
      labelNames: ['table'] as const,
      registers,
    }),
    cdcDeadLetters: new Counter({
      name: 'assay_cdc_dead_letters_total',
      help: 'Rows that ClickHouse refused and that were set aside',
      registers,
    }),
    cdcRestarts: new Counter({
      name: 'assay_cdc_restarts_total',
      help: 'Times the replication stream was started anew after an error',
      registers,
    }),
    cdcSlotRetained: new Gauge({
      name: 'assay_cdc_slot_retained_bytes',
      help: 'WAL that PostgreSQL keeps for the replication slot',
      registers,
    }),
    cdcSlotUnconfirmed: new Gauge({
      name: 'assay_cdc_slot_unconfirmed_bytes',
      help: 'WAL that was written and is not confirmed by the sink',
      registers,
    }),
    cdcSlotSafe: new Gauge({
      name: 'assay_cdc_slot_safe_bytes',
      help: 'WAL that may still be written before the slot is lost; +Inf without a limit',
      registers,
    }),
  };
}
