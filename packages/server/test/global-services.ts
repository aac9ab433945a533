import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startClickHouse, startPostgres } from '@assay/embedded';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { migrate } from '../src/platform/migrate.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** A superuser's URL; fixtures clone the template database with it. */
    adminUrl: string;
    /** URL of the engine's database `assay`; fixtures make databases of their own beside it. */
    clickhouseUrl: string;
  }
}

export const TEMPLATE = 'assay_template';

/** Starts what a project's tests need, once; answers what stops it. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'assay-test-'));
  const needsClickHouse = project.name === 'ch';
  const [postgres, clickhouse] = await Promise.all([
    startPostgres({
      dataDir: join(folder, 'postgres'),
      settings: {
        fsync: 'off',
        max_connections: '200',
        max_replication_slots: '40',
        max_wal_senders: '40',
      },
    }),
    needsClickHouse ? startClickHouse({ dataDir: join(folder, 'clickhouse') }) : undefined,
  ]);
  const admin = new pg.Client({ connectionString: postgres.adminUrl });
  await admin.connect();
  await admin.query(`CREATE DATABASE ${TEMPLATE}`);
  await admin.end();
  const templateUrl = new URL(postgres.adminUrl);
  templateUrl.pathname = `/${TEMPLATE}`;
  await migrate({ databaseUrl: templateUrl.href, clickhouseUrl: undefined });
  project.provide('adminUrl', postgres.adminUrl);
  project.provide('clickhouseUrl', clickhouse?.url ?? '');
  return async () => {
    await Promise.all([postgres.stop(), clickhouse?.stop()]);
    await rm(folder, { recursive: true, force: true });
  };
}
