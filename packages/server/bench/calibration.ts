import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Calibration, Results } from '@assay/contract';
import pg from 'pg';
import {
  call,
  load,
  type Row,
  round,
  sleep,
  startExperiment,
  startServer,
  startServices,
} from './harness.ts';

const PORT = 18_160;
/** More than a calibration takes. */
const USERS = 50_000;
const EVENTS_PER_USER = 10;
const SPLITS = 500;
const SECONDS = 5;
/** For the calibration, and for what comes before it. */
const DEADLINE_MS = 300_000;
/** Few, so that what is measured is waiting for the calibration, not for each other. */
const CONNECTIONS = 4;

/** One calibration of the default metrics, and what requests to the same process notice of it. */
export async function calibration(): Promise<readonly Row[]> {
  const services = await startServices();
  const server = await startServer(services, 'api,worker', PORT);
  const base = `http://127.0.0.1:${PORT}`;
  const id = await startExperiment(base, 'bench');
  const known = '/v1/experiments/bench/assignment/known';
  await call(base, 'GET', known);
  await fill(services.adminUrl, id);
  await untilCarried(base);
  const request = { url: base + known, connections: CONNECTIONS, duration: SECONDS };
  await load(request);
  const before = await load(request);
  const memoryBefore = peakMegabytes(server);

  const startedAt = performance.now();
  const { id: asked } = await call<Calibration>(base, 'POST', '/v1/calibration', {
    experiment: 'bench',
    splits: SPLITS,
  });
  await until(base, asked, ({ status }) => status !== 'queued');
  const during = await load(request);
  const done = await until(base, asked, ({ status }) => status === 'done' || status === 'failed');
  const seconds = (performance.now() - startedAt) / 1_000;
  const memory = peakMegabytes(server) - memoryBefore;
  server.kill('SIGTERM');
  await services.stop();
  if (done.result === null) throw new Error(`the calibration failed: ${done.error}`);
  const { users, metrics } = done.result;
  return [
    {
      what: `${round(users)} of ${round(USERS)} users, ${metrics.length} metrics, ${SPLITS} splits, s (under the load below for ${SECONDS} s)`,
      figure: round(seconds, 1),
    },
    { what: 'memory of the process, peak above that before, MB', figure: round(memory) },
    {
      what: `a known user meanwhile, p50 and p99 ms (${CONNECTIONS} connections)`,
      figure: `${round(during.latency.p50, 1)}, ${round(during.latency.p99, 1)}`,
    },
    {
      what: 'a known user before, p50 and p99 ms',
      figure: `${round(before.latency.p50, 1)}, ${round(before.latency.p99, 1)}`,
    },
    {
      what: 'requests/s meanwhile ÷ before',
      figure: round(during.requests.average / before.requests.average, 2),
    },
  ];
}

async function fill(adminUrl: string, id: number): Promise<void> {
  const admin = new pg.Client({ connectionString: adminUrl });
  await admin.connect();
  await admin.query(
    `INSERT INTO assignments SELECT $1, 'user-' || i, 1 + i % 2, 2, 'hash', 0, now() - interval '20 days', '{}'
     FROM generate_series(1, $2::int) i`,
    [id, USERS],
  );
  // Users are older than the start, which only those who are reported can be.
  await admin.query('UPDATE experiments SET has_reported = true WHERE id = $1', [id]);
  await admin.query(
    `INSERT INTO events (event_id, ts, user_id, type, value)
     SELECT gen_random_uuid(), now() - interval '10 days' + (i % 800000) * interval '1 second',
            'user-' || 1 + (i * 7919) % $2::int, 'purchase', (i % 1000) / 7.0
     FROM generate_series(1, $1::bigint) i`,
    [USERS * EVENTS_PER_USER, USERS],
  );
  await admin.query('VACUUM ANALYZE events');
  await admin.query('VACUUM ANALYZE assignments');
  await admin.end();
}

/** Change data capture runs in the same process; what is measured begins when it has nothing to do. */
async function untilCarried(base: string): Promise<void> {
  const path = '/v1/experiments/bench/results?source=clickhouse&metrics=event_count';
  const deadline = performance.now() + DEADLINE_MS;
  for (let carried = 0; carried < USERS * EVENTS_PER_USER; await sleep(500)) {
    if (performance.now() > deadline) throw new Error(`${carried} events in ClickHouse`);
    const { variants } = await call<Results>(base, 'GET', path);
    carried = variants.reduce((sum, { metrics }) => sum + (metrics.event_count?.value ?? 0), 0);
  }
}

async function until(
  base: string,
  id: number,
  isReached: (calibration: Calibration) => boolean,
): Promise<Calibration> {
  const deadline = performance.now() + DEADLINE_MS;
  while (performance.now() < deadline) {
    const found = await call<Calibration>(base, 'GET', `/v1/calibration/${id}`);
    if (isReached(found)) return found;
    await sleep(100);
  }
  throw new Error('the calibration does not come to its end');
}

/** The most memory that a process has held. */
function peakMegabytes({ pid }: ChildProcess): number {
  const [, kilobytes] =
    /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) / 1_000;
}
