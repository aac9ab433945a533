import { parseArgs } from 'node:util';
import { TokenCreate } from '@assay/contract';
import { readConfig } from '../config.ts';
import { createToken } from '../features/tokens/service.ts';
import { connectPostgres } from '../platform/postgres.ts';

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { role: { type: 'string' }, name: { type: 'string' } },
  });
  const request = TokenCreate.safeParse(values);
  if (!request.success) {
    const [issue] = request.error.issues;
    throw new Error(`--${issue?.path.join('.')}: ${issue?.message}`);
  }
  const { databaseUrl } = readConfig();
  const db = connectPostgres({
    url: databaseUrl,
    maxConnections: 1,
    applicationName: 'assay-token',
  });
  try {
    const { token } = await createToken(
      { db },
      { name: 'command line', requestId: null },
      request.data,
    );
    process.stdout.write(`${token}\n`);
  } finally {
    await db.end();
  }
}

main().catch((error: Error) => {
  process.stderr.write(`assay token create: ${error.message}\n`);
  process.exitCode = 1;
});
