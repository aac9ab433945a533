import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { startCdc } from '../src/cdc/cdc.ts';
import { readConfig } from '../src/config.ts';
import { connectClickHouse } from '../src/platform/clickhouse.ts';
import { createMetrics } from '../src/platform/metrics.ts';
import { call, quantile, type Row, round, sleep, startServer, startServices } from './harness.ts';

const PORT = 18_130;
const SECONDS = 20;
const BATCH = 50;

/** From commit in PostgreSQL to visible in ClickHouse, at steady rates. */
export async function pipeline(): Promise<readonly Row[]> {
  const services = await startServices();
  const server = await startServer(services, 'api', PORT);
  const metrics = createMetrics();
  const clickhouse = connectClickHouse(services.clickhouseUrl);
  let delays: number[] = [];
  // The histogram's buckets are too coarse for quantiles: the values themselves are kept.
  metrics.cdcVisible.observe = (seconds: unknown) => {
    delays.push(Number(seconds) * 1_000);
  };
  const config = readConfig({
    DATABASE_URL: services.databaseUrl,
    CLICKHOUSE_URL: services.clickhouseUrl,
  });
  const cdc = startCdc({
    config,
    clickhouse,
    metrics,
    log: pino({ level: 'error' }),
    now: Date.now,
  });
  while (cdc.status().state !== 'streaming') await sleep(50);

  const rows: Row[] = [];
  for (const rate of [2_000, 5_000]) {
    delays = [];
    const startedAt = performance.now();
    let sent = 0;
    const pending: Promise<unknown>[] = [];
    while (performance.now() - startedAt < SECONDS * 1_000) {
      while (sent < (rate * (performance.now() - startedAt)) / 1_000) {
        const events = Array.from({ length: BATCH }, (_, index) => ({
          event_id: randomUUID(),
          timestamp: new Date().toISOString(),
          user_id: `user-${(sent + index) % 100_000}`,
          type: 'purchase',
          value: index,
        }));
        pending.push(call(`http://127.0.0.1:${PORT}`, 'POST', '/v1/events', { events }));
        sent += BATCH;
      }
      await sleep(5);
    }
    await Promise.all(pending);
    await sleep(2_000);
    const p99 = quantile(delays, 0.99);
    rows.push(
      {
        what: `${round(rate)} events/s for ${SECONDS} s: commit → visible, p50 ms (${round(delays.length)} transactions)`,
        figure: round(quantile(delays, 0.5)),
      },
      {
        what: `${round(rate)} events/s: p99 ms`,
        figure: round(p99),
        floor: '< 1,000',
        isMet: p99 < 1_000,
      },
    );
  }
  await cdc.stop();
  await clickhouse.close();
  server.kill('SIGTERM');
  await services.stop();
  return rows;
}
