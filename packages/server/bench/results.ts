import type { Results } from '@assay/contract';
import pg from 'pg';
import { connectClickHouse } from '../src/platform/clickhouse.ts';
import {
  call,
  median,
  type Row,
  round,
  startExperiment,
  startServer,
  startServices,
} from './harness.ts';

const PORT = 18_140;
const EVENTS = Number(process.env.BENCH_EVENTS ?? 10_000_000);
const USERS = Number(process.env.BENCH_USERS ?? 200_000);
const ROUNDS = 3;
const CHUNK = 500_000;

/** Results over ten million events of two hundred thousand users, from both stores. */
export async function results(): Promise<readonly Row[]> {
  const services = await startServices();
  const server = await startServer(services, 'api', PORT);
  const base = `http://127.0.0.1:${PORT}`;
  const id = await startExperiment(base, 'bench');
  const admin = new pg.Client({ connectionString: services.adminUrl });
  await admin.connect();
  await admin.query('SET synchronous_commit = off');
  await admin.query(
    `INSERT INTO assignments SELECT $1, 'user-' || i, 1 + i % 2, 2, 'hash', 0, now() - interval '20 days', '{}'
     FROM generate_series(1, $2::int) i`,
    [id, USERS],
  );
  // Users are older than the start, which only those who are reported can be.
  await admin.query('UPDATE experiments SET has_reported = true WHERE id = $1', [id]);
  for (let at = 0; at < EVENTS; at += CHUNK) {
    await admin.query(
      `INSERT INTO events (event_id, ts, user_id, type, value)
       SELECT gen_random_uuid(), now() - interval '20 days' + (i % 1700000) * interval '1 second',
              'user-' || 1 + (i * 7919) % $3::int, 'purchase', (i % 1000) / 7.0
       FROM generate_series($1::bigint, $2::bigint) i`,
      [at + 1, at + Math.min(CHUNK, EVENTS - at), USERS],
    );
  }
  await admin.query('VACUUM ANALYZE events');
  await admin.query('VACUUM ANALYZE assignments');
  await admin.end();
  await fillClickHouse(services.clickhouseUrl, id);

  const rows: Row[] = [];
  const metrics = 'conversion_rate,value_per_user,avg_value';
  for (const source of ['postgresql', 'clickhouse']) {
    const times: number[] = [];
    for (let i = 0; i < ROUNDS; i++) {
      const path = `/v1/experiments/bench/results?source=${source}&event_type=purchase&metrics=${metrics}`;
      const startedAt = performance.now();
      const answer = await call<Results>(base, 'GET', path);
      times.push((performance.now() - startedAt) / 1_000);
      if (answer.metadata.total_users !== USERS)
        throw new Error(`${answer.metadata.total_users} users`);
    }
    rows.push({
      what: `${source}: ${round(EVENTS)} events, ${round(USERS)} users, three metrics and a series by day, s (median of ${ROUNDS})`,
      figure: round(median(times), 2),
    });
  }
  server.kill('SIGTERM');
  await services.stop();
  return rows;
}

/** The same amount of the same shape, not carried by CDC, which has a benchmark of its own. */
async function fillClickHouse(url: string, id: number): Promise<void> {
  const clickhouse = connectClickHouse(url, 120_000);
  await clickhouse.command({
    query: `INSERT INTO assignments SETTINGS async_insert = 0
            SELECT ${id}, concat('user-', toString(number + 1)), 1 + (number + 1) % 2, 2, 'hash', 0,
                   now64(6) - INTERVAL 20 DAY, '{}', 1, 0 FROM numbers(${USERS})`,
  });
  for (let at = 0; at < EVENTS; at += CHUNK) {
    await clickhouse.command({
      query: `INSERT INTO events SETTINGS async_insert = 0
              SELECT generateUUIDv4(), 'purchase', concat('user-', toString(1 + (number * 7919) % ${USERS})),
                     now64(6) - INTERVAL 20 DAY + toIntervalSecond(number % 1700000),
                     (number % 1000) / 7.0, '{}', NULL, 1, 0
              FROM numbers(${at}, ${Math.min(CHUNK, EVENTS - at)})`,
    });
  }
  await clickhouse.close();
}
