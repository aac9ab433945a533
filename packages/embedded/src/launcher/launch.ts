import { randomBytes } from 'node:crypto';
import { chmod, mkdir, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { hasClickHouse, type RunningClickHouse, startClickHouse } from '../clickhouse/server.ts';
import { freePort } from '../data-dir/free-port.ts';
import { lockDataDir } from '../data-dir/lock.ts';
import { ensureSecret } from '../data-dir/secrets.ts';
import { inheritedEnvironment } from '../environment.ts';
import { type RunningPostgres, startPostgres } from '../postgres/server.ts';
import { type Supervised, supervise } from '../supervisor/supervise.ts';
import type { LauncherOptions } from './options.ts';
import { removeRuntime, writeRuntime } from './runtime.ts';
import { runProgram, startServer } from './server-process.ts';

/** Everything that runs, and what stops it. */
export interface Launched {
  readonly url: string;
  readonly adminTokenFile: string | undefined;
  readonly stop: () => Promise<void>;
}

interface Say {
  readonly progress: (message: string) => void;
  readonly trouble: (message: string) => void;
}

const SERVER_STOP_MS = 9_000;

/** Starts the backing services, migrates, starts the server and loads the demo. */
export async function launch(options: LauncherOptions, say: Say): Promise<Launched> {
  const { dataDir } = options;
  const unlock = await lockDataDir(dataDir);
  const running: (() => Promise<void>)[] = [unlock, () => removeRuntime(dataDir)];
  const stop = async (): Promise<void> => {
    // In the reverse order of starting: the server first, then what it needs.
    for (const stopOne of running.splice(0).reverse()) await stopOne();
  };
  try {
    await checkPort(options.host, options.port);
    const port = options.port === 0 ? await freePort() : options.port;
    const services = await startServices(options, say, running);
    const adminTokenFile = options.hasOwnAdminToken ? undefined : await ensureAdminToken(dataDir);
    const env = {
      ...inheritedEnvironment(),
      ...services,
      HOST: options.host,
      PORT: String(port),
      ...(adminTokenFile === undefined ? {} : { ASSAY_ADMIN_TOKEN_FILE: adminTokenFile }),
    };
    await runProgram('migrate', [], env);
    const url = `http://${options.host.includes(':') ? `[${options.host}]` : options.host}:${port}`;
    const server = await superviseServer(env, url, dataDir, say);
    running.push(() => server.stop());
    await writeRuntime(dataDir, {
      url,
      databaseUrl: services.DATABASE_URL ?? options.databaseUrl,
      clickhouseUrl: services.CLICKHOUSE_URL ?? options.clickhouseUrl,
    });
    if (options.loadsDemo && adminTokenFile !== undefined)
      await loadDemo(url, adminTokenFile, dataDir, say);
    return { url, adminTokenFile, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface ServiceUrls {
  readonly DATABASE_URL?: string;
  readonly CLICKHOUSE_URL?: string;
}

async function startServices(
  options: LauncherOptions,
  say: Say,
  running: (() => Promise<void>)[],
): Promise<ServiceUrls> {
  const { dataDir } = options;
  const onTrouble = say.trouble;
  const ownsClickHouse = options.clickhouseUrl === undefined;
  const hasEngine = ownsClickHouse && (await hasClickHouse());
  if (ownsClickHouse && !hasEngine) {
    say.progress(
      `There is no embedded ClickHouse for ${process.platform}-${process.arch}: results come from PostgreSQL alone.`,
    );
  }
  const starting: [Promise<RunningPostgres | undefined>, Promise<RunningClickHouse | undefined>] = [
    options.databaseUrl === undefined
      ? startPostgres({ dataDir: join(dataDir, 'postgres'), onTrouble })
      : Promise.resolve(undefined),
    hasEngine
      ? startClickHouse({ dataDir: join(dataDir, 'clickhouse'), onTrouble })
      : Promise.resolve(undefined),
  ];
  const [postgres, clickhouse] = await Promise.allSettled(starting);
  for (const service of [postgres, clickhouse]) {
    const started = service.status === 'fulfilled' ? service.value : undefined;
    if (started !== undefined) running.push(() => started.stop());
  }
  for (const service of [postgres, clickhouse]) {
    if (service.status === 'rejected') throw service.reason;
  }
  return {
    ...(postgres.status === 'fulfilled' && postgres.value
      ? { DATABASE_URL: postgres.value.url }
      : {}),
    ...(ownsClickHouse
      ? {
          CLICKHOUSE_URL:
            clickhouse.status === 'fulfilled' && clickhouse.value ? clickhouse.value.url : 'none',
        }
      : {}),
  };
}

async function ensureAdminToken(dataDir: string): Promise<string> {
  await ensureSecret(
    dataDir,
    'admin-token',
    () => `assay_admin_${randomBytes(32).toString('base64url')}`,
  );
  const path = join(dataDir, 'admin-token');
  await chmod(path, 0o600);
  return path;
}

async function superviseServer(
  env: NodeJS.ProcessEnv,
  url: string,
  dataDir: string,
  say: Say,
): Promise<Supervised> {
  const logs = join(dataDir, 'logs');
  await mkdir(logs, { recursive: true, mode: 0o700 });
  return supervise({
    name: 'The server',
    start: () => startServer({ env, url, logFile: join(logs, 'server.log') }),
    requestStop: (child) => {
      child.kill('SIGTERM');
    },
    stopTimeoutMs: SERVER_STOP_MS,
    onTrouble: say.trouble,
  });
}

/** Loads the demo once: into a new data directory, and again only where that was interrupted. */
async function loadDemo(url: string, tokenFile: string, dataDir: string, say: Say): Promise<void> {
  const marker = join(dataDir, 'demo-loaded');
  const isLoaded = await stat(marker).then(
    () => true,
    () => false,
  );
  if (isLoaded) return;
  say.progress('Loading the demo …');
  say.progress(
    await runProgram('demo', ['--url', url, '--token-file', tokenFile], inheritedEnvironment()),
  );
  await writeFile(marker, '');
}

/** How long a port may stay in use: a killed launcher's server notices and lets go within that. */
const PORT_PATIENCE_MS = 5_000;

/** Says that a port is taken before anything else is started. */
async function checkPort(host: string, port: number): Promise<void> {
  if (port === 0) return;
  const deadline = performance.now() + PORT_PATIENCE_MS;
  for (;;) {
    const error = await tryPort(host, port);
    if (error === undefined) return;
    if (error.code !== 'EADDRINUSE')
      throw new Error(`Cannot listen on ${host}:${port}: ${error.message}`);
    if (performance.now() > deadline) {
      throw new Error(`Port ${port} on ${host} is in use; stop what uses it, or set PORT`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function tryPort(host: string, port: number): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', resolve);
    probe.listen(port, host, () => probe.close(() => resolve(undefined)));
  });
}
