import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { test as base, inject } from 'vitest';
import { type ClickHouse, connectClickHouse } from '../src/platform/clickhouse.ts';
import { migrate } from '../src/platform/migrate.ts';
import { connectPostgres, type Pool } from '../src/platform/postgres.ts';
import { startTestApp, type TestApp } from './app.ts';
import { TEMPLATE } from './global-services.ts';

/** A migrated PostgreSQL database of the test's own; dropped afterwards. */
export interface TestDatabase {
  readonly url: string;
  readonly pool: Pool;
}

async function withAdmin(statement: string): Promise<void> {
  const admin = new pg.Client({ connectionString: inject('adminUrl') });
  await admin.connect();
  try {
    await admin.query(statement);
  } finally {
    await admin.end();
  }
}

async function createDatabase(): Promise<TestDatabase & { readonly name: string }> {
  const name = `t_${randomBytes(8).toString('hex')}`;
  await withAdmin(`CREATE DATABASE ${name} TEMPLATE ${TEMPLATE} STRATEGY file_copy`);
  const url = new URL(inject('adminUrl'));
  url.pathname = `/${name}`;
  const pool = connectPostgres({ url: url.href, maxConnections: 6, applicationName: 'assay-test' });
  return { name, url: url.href, pool };
}

async function dropDatabase(database: TestDatabase & { readonly name: string }): Promise<void> {
  await database.pool.end();
  await withAdmin(
    `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = '${database.name}'`,
  );
  await withAdmin(`DROP DATABASE ${database.name} WITH (FORCE)`);
}

/** A migrated ClickHouse database of the test's own, in the shared engine. */
export interface TestClickHouse {
  readonly url: string;
  readonly client: ClickHouse;
}

/**
 * For tests that need a PostgreSQL database, the API over it, or (in `.ch.test.ts` files) a
 * ClickHouse one.
 */
export const test = base.extend<{
  database: TestDatabase;
  clickhouse: TestClickHouse;
  api: TestApp;
}>({
  // biome-ignore lint/correctness/noEmptyPattern: Vitest reads the fixture's needs from the pattern
  database: async ({}, use) => {
    const database = await createDatabase();
    await use(database);
    await dropDatabase(database);
  },
  api: async ({ database }, use) => {
    const api = await startTestApp(database);
    await use(api);
    await api.stop();
  },
  clickhouse: async ({ database }, use) => {
    const shared = inject('clickhouseUrl');
    if (shared === '') throw new Error('name the file *.ch.test.ts to get ClickHouse');
    const name = `t_${randomBytes(8).toString('hex')}`;
    const root = connectClickHouse(shared);
    await root.command({ query: `CREATE DATABASE ${name} ENGINE = Atomic` });
    const url = new URL(shared);
    url.pathname = `/${name}`;
    await migrate({ databaseUrl: database.url, clickhouseUrl: url.href });
    const client = connectClickHouse(url.href);
    await use({ url: url.href, client });
    await client.close();
    await root.command({ query: `DROP DATABASE ${name} SYNC` });
    await root.close();
  },
});
