import { inheritedEnvironment } from '../environment.ts';
import { loadDemo } from '../launcher/demo.ts';
import { readLauncherOptions } from '../launcher/options.ts';
import { type Runtime, readRuntime } from '../launcher/runtime.ts';
import { runProgram } from '../launcher/server-process.ts';
import { say } from './say.ts';

/** The environment of the server's programs: as given, else that of the running launcher. */
async function serviceEnvironment(): Promise<NodeJS.ProcessEnv> {
  const env = inheritedEnvironment();
  const { databaseUrl, clickhouseUrl } = readLauncherOptions();
  if (databaseUrl !== undefined && clickhouseUrl !== undefined) return env;
  const runtime = databaseUrl === undefined ? await requireRuntime() : await findRuntime();
  return {
    ...env,
    ...(databaseUrl === undefined ? { DATABASE_URL: runtime?.databaseUrl } : {}),
    ...(clickhouseUrl === undefined ? { CLICKHOUSE_URL: runtime?.clickhouseUrl } : {}),
  };
}

const findRuntime = (): Promise<Runtime | undefined> => readRuntime(readLauncherOptions().dataDir);

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
  const { url } = await requireRuntime();
  say(await loadDemo(readLauncherOptions(), url));
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
