import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { startClickHouse } from '../src/clickhouse/server.ts';
import type { RunningClickHouse } from '../src/index.ts';

/** An engine of a test file's own, and what its tests do with it. */
export interface TestEngine {
  readonly engine: RunningClickHouse;
  readonly client: ClickHouseClient;
  readonly rows: <T>(query: string, parameters?: Record<string, unknown>) => Promise<T[]>;
  /** Makes a table; answers its name. */
  readonly makeTable: (columns: string) => Promise<string>;
  /** A request as no client library would send it. */
  readonly send: (search: string, init?: RequestInit) => Promise<Response>;
  readonly stop: () => Promise<void>;
}

export async function startTestEngine(readers: number): Promise<TestEngine> {
  const folder = await mkdtemp(join(tmpdir(), 'assay-engine-'));
  const engine = await startClickHouse({ dataDir: join(folder, 'clickhouse'), readers });
  const client = createClient({
    url: engine.url,
    log: { level: ClickHouseLogLevel.OFF },
    max_open_connections: 50,
  });
  const { origin, username, password } = new URL(engine.url);
  const credentials = Buffer.from(`${username}:${password}`).toString('base64');
  return {
    engine,
    client,
    async rows(query, parameters = {}) {
      const result = await client.query({ query, query_params: parameters, format: 'JSONEachRow' });
      return result.json();
    },
    async makeTable(columns) {
      const name = `t_${randomUUID().replaceAll('-', '')}`;
      await client.command({
        query: `CREATE TABLE ${name} (${columns}) ENGINE = MergeTree ORDER BY tuple()`,
      });
      return name;
    },
    send: (search, init = {}) =>
      fetch(`${origin}/?${search}`, {
        ...init,
        headers: { authorization: `Basic ${credentials}`, ...init.headers },
      }),
    async stop() {
      await client.close();
      await engine.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
