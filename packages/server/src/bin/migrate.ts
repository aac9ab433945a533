import { readConfig } from '../config.ts';
import { migrate } from '../platform/migrate.ts';
import { connectPostgres } from '../platform/postgres.ts';
import { ensurePartitions } from '../worker/partitions.ts';

async function main(): Promise<void> {
  const { databaseUrl, clickhouseUrl, retentionMonths } = readConfig();
  const ran = await migrate({ databaseUrl, clickhouseUrl });
  const pool = connectPostgres({
    url: databaseUrl,
    maxConnections: 1,
    applicationName: 'assay-migrate',
  });
  try {
    await ensurePartitions(pool, Date.now(), retentionMonths);
  } finally {
    await pool.end();
  }
  const names = [
    ...ran.postgres.map((name) => `postgres ${name}`),
    ...ran.clickhouse.map((name) => `clickhouse ${name}`),
  ];
  process.stdout.write(names.length === 0 ? 'nothing to migrate\n' : `${names.join('\n')}\n`);
}

main().catch((error: Error) => {
  process.stderr.write(`assay migrate: ${error.message}\n`);
  process.exitCode = 1;
});
