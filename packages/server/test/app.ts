import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify';
import { pino } from 'pino';
import { type AppDeps, buildApp } from '../src/app.ts';
import { readConfig } from '../src/config.ts';
import { createAssignmentWriter } from '../src/features/assignments/writer.ts';
import { createEventWriter } from '../src/features/events/writer.ts';
import { createExposureWriter } from '../src/features/exposures/writer.ts';
import { startSnapshot } from '../src/features/snapshot/service.ts';
import { createToken, ensureAdminToken } from '../src/features/tokens/service.ts';
import { createMetrics } from '../src/platform/metrics.ts';
import { ensurePartitions } from '../src/worker/partitions.ts';
import type { TestClickHouse, TestDatabase } from './fixtures.ts';

export const ADMIN_TOKEN = 'assay_admin_for_tests_0123456789abcdefghij';

/** The API over a test's own databases, called without a socket. */
export interface TestApp {
  readonly app: FastifyInstance;
  readonly deps: AppDeps;
  /** Calls as admin unless `token` says otherwise; a body goes as JSON. */
  readonly call: (
    method: InjectOptions['method'],
    url: string,
    body?: unknown,
    options?: { readonly token?: string | null; readonly headers?: Record<string, string> },
  ) => Promise<LightMyRequestResponse>;
  /** A new token of a role. */
  readonly tokenOf: (role: 'client' | 'ingest' | 'viewer' | 'editor' | 'admin') => Promise<string>;
  readonly stop: () => Promise<void>;
}

export async function startTestApp(
  database: TestDatabase,
  clickhouse?: TestClickHouse,
  environment: Record<string, string> = {},
): Promise<TestApp> {
  const config = readConfig({
    DATABASE_URL: database.url,
    ASSAY_RATE_LIMIT_AUTH_FAILURES: '0',
    ...environment,
  });
  const base = {
    config,
    db: database.pool,
    resultsDb: database.pool,
    clickhouse: clickhouse?.client,
    log: pino({ level: 'silent' }),
    metrics: createMetrics(),
    now: Date.now,
  };
  await ensurePartitions(database.pool, Date.now(), config.retentionMonths);
  await ensureAdminToken(base, ADMIN_TOKEN);
  const snapshot = startSnapshot(base);
  await snapshot.refresh();
  const deps: AppDeps = {
    ...base,
    snapshot,
    assignments: createAssignmentWriter(base),
    events: createEventWriter(base),
    exposures: createExposureWriter(base),
  };
  const app = await buildApp(deps);
  return {
    app,
    deps,
    call: (method, url, body, options = {}) => {
      const { token = ADMIN_TOKEN, headers = {} } = options;
      return app.inject({
        method: method ?? 'GET',
        url,
        headers: { ...(token === null ? {} : { authorization: `Bearer ${token}` }), ...headers },
        ...(body === undefined ? {} : { payload: body as object }),
      });
    },
    async tokenOf(role) {
      const actor = { name: 'test', requestId: null };
      const { token } = await createToken(base, actor, { name: `test ${role}`, role });
      await snapshot.refresh();
      return token;
    },
    async stop() {
      await app.close();
      await snapshot.stop();
    },
  };
}

/** An experiment with two equal variants, created and started; answers its id. */
export async function startedExperiment(
  { call }: TestApp,
  key: string,
  fields: Record<string, unknown> = {},
): Promise<number> {
  const created = await call('POST', '/v1/experiments', {
    key,
    name: key,
    variants: [
      { key: 'control', allocation_pct: 50, is_control: true },
      { key: 'green', allocation_pct: 50 },
    ],
    ...fields,
  });
  if (created.statusCode !== 201) throw new Error(created.body);
  const started = await call('POST', `/v1/experiments/${key}/start`);
  if (started.statusCode !== 200) throw new Error(started.body);
  return started.json<{ id: number }>().id;
}
