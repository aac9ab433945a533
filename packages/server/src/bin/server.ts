import closeWithGrace from 'close-with-grace';
import { type AppDeps, buildApp } from '../app.ts';
import { startCdc } from '../cdc/cdc.ts';
import { ConfigError, readConfig } from '../config.ts';
import type { Deps } from '../deps.ts';
import { createAssignmentWriter } from '../features/assignments/writer.ts';
import { createEventWriter } from '../features/events/writer.ts';
import { createExposureWriter } from '../features/exposures/writer.ts';
import { startSnapshot } from '../features/snapshot/service.ts';
import { ensureAdminToken } from '../features/tokens/service.ts';
import { connectClickHouse } from '../platform/clickhouse.ts';
import { createLogger } from '../platform/logger.ts';
import { createMetrics } from '../platform/metrics.ts';
import { connectPostgres } from '../platform/postgres.ts';
import { retry } from '../platform/retry.ts';
import { startCalibration } from '../worker/calibration.ts';
import { startMaintenance } from '../worker/maintenance.ts';
import { startSchedule } from '../worker/schedule.ts';

const SHUTDOWN_MS = 8_000;
const POOL_CONNECTIONS = 16;
const RESULTS_CONNECTIONS = 4;

async function main(): Promise<void> {
  const config = readConfig();
  const log = createLogger(config.logLevel, 'assay');
  const { clickhouseUrl, databaseUrl } = config;
  const deps: Deps = {
    config,
    log,
    metrics: createMetrics(),
    db: connectPostgres({
      url: databaseUrl,
      maxConnections: POOL_CONNECTIONS,
      applicationName: 'assay',
    }),
    resultsDb: connectPostgres({
      url: databaseUrl,
      maxConnections: RESULTS_CONNECTIONS,
      applicationName: 'assay-results',
    }),
    clickhouse: clickhouseUrl === undefined ? undefined : connectClickHouse(clickhouseUrl),
    now: Date.now,
  };
  const runsWorker = config.roles.includes('worker');
  const cdc = runsWorker && deps.clickhouse !== undefined ? startCdc(deps) : undefined;
  const work = runsWorker
    ? [startMaintenance(deps), startSchedule(deps), startCalibration(deps)]
    : [];

  const snapshot = startSnapshot(deps);
  const appDeps: AppDeps = {
    ...deps,
    snapshot,
    assignments: createAssignmentWriter(deps),
    events: createEventWriter(deps),
    exposures: createExposureWriter(deps),
    cdcStatus: cdc?.status,
  };
  const { adminToken } = config;
  if (adminToken !== undefined) {
    retry('admin token', log, () => ensureAdminToken(deps, adminToken));
  }
  const app = await buildApp(appDeps);

  closeWithGrace({ delay: SHUTDOWN_MS, logger: false }, async ({ err }) => {
    if (err) log.fatal({ err }, 'stopping after an unexpected error');
    // In order: take no more, finish what was taken, then let go of what it needed.
    await app.close();
    await Promise.all([cdc?.stop(), snapshot.stop(), ...work.map(({ stop }) => stop())]);
    await Promise.all([deps.db.end(), deps.resultsDb.end(), deps.clickhouse?.close()]);
  });
  // The launcher is gone: nobody else would stop this process.
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
  await app.listen({ host: config.host, port: config.port });
}

main().catch((error: NodeJS.ErrnoException) => {
  // An address that is in use, not allowed or not of this machine: `listen EADDRINUSE: …`.
  const isExpected = error instanceof ConfigError || error.syscall === 'listen';
  const said = error.code === 'EADDRINUSE' ? `the port is in use: ${error.message}` : error.message;
  process.stderr.write(`assay: ${isExpected ? said : (error.stack ?? said)}\n`);
  process.exit(1);
});
