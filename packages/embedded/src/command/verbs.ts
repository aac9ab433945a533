import { join } from 'node:path';
import { inheritedEnvironment } from '../environment.ts';
import { readLauncherOptions } from '../launcher/options.ts';
import { type Runtime, readRuntime } from '../launcher/runtime.ts';
import { runProgram } from '../launcher/server-process.ts';
import { say } from './say.ts';

/** The environment of the server's programs: as given, else that of the running launcher. */
async function serviceEnvironment(): Promise<NodeJS.ProcessEnv> {
  const env = inheritedEnvironment();
  if (env.DATABASE_URL !== undefined || env.DATABASE_URL_FILE !== undefined) return env;
  const runtime = await requireRuntime();
  return {
    ...env,
    ...(runtime.databaseUrl === undefined ? {} : { DATABASE_URL: runtime.databaseUrl }),
    ...(runtime.clickhouseUrl === undefined ? {} : { CLICKHOUSE_URL: runtime.clickhouseUrl }),
  };
}

async function requireRuntime(): Promise<Runtime> {
  const { dataDir } = readLauncherOptions();
  const runtime = await readRuntime(dataDir);
  if (runtime === undefined) {
    throw new Error(`nothing runs on ${dataDir}; start it with "npm start", or set DATABASE_URL`);
  }
  return runtime;
}

export async function migrate(): Promise<number> {
  say(await runProgram('migrate', [], await serviceEnvironment()));
  return 0;
}

export async function demo(): Promise<number> {
  const { dataDir } = readLauncherOptions();
  const { url } = await requireRuntime();
  const args = ['--url', url, '--token-file', join(dataDir, 'admin-token')];
  say(await runProgram('demo', args, inheritedEnvironment()));
  return 0;
}

export async function createToken(
  values: Readonly<Record<string, string | boolean | undefined>>,
): Promise<number> {
  const { role, name } = values;
  if (typeof role !== 'string' || typeof name !== 'string') {
    process.stderr.write('assay token create: --role and --name are needed\n');
    return 2;
  }
  say(await runProgram('token', ['--role', role, '--name', name], await serviceEnvironment()));
  return 0;
}
