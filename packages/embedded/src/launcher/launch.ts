import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  EngineUnavailableError,
  hasClickHouse,
  type RunningClickHouse,
  startClickHouse,
} from '../clickhouse/server.ts';
import { openDataDir } from '../data-dir/data-dir.ts';
import { freePort } from '../data-dir/free-port.ts';
import { lockDataDir } from '../data-dir/lock.ts';
import { ensureSecret } from '../data-dir/secrets.ts';
import { inheritedEnvironment } from '../environment.ts';
import { startPostgres } from '../postgres/server.ts';
import { type Supervised, supervise } from '../supervisor/supervise.ts';
import { type BoundedLog, openLog } from './bounded-log.ts';
import { hasExperiments, isDemoPlanned, loadDemo, planDemo } from './demo.ts';
import type { LauncherOptions } from './options.ts';
import { checkPort } from './port.ts';
import { removeRuntime, writeRuntime } from './runtime.ts';
import { runProgram, startServer } from './server-process.ts';

/** Everything that runs, and what stops it. */
export interface Launched {
  readonly url: string;
  /** Undefined when a token was given. */
  readonly adminTokenFile: string | undefined;
  readonly stop: () => Promise<void>;
}

export interface Say {
  readonly progress: (message: string) => void;
  readonly trouble: (message: string) => void;
}

/** What has been started so far. */
interface Running {
  readonly services: Supervised[];
  server: Supervised | undefined;
  readonly release: (() => Promise<void>)[];
}

// Together below ten seconds, the services' own limits included.
const SERVER_STOP_MS = 5_000;
const LOG_BYTES_MAX = 20 * 1024 * 1024;

/**
 * Starts the backing services, migrates, starts the server and loads the demo.
 *
 * @param signal gives up: what has been started is stopped, and the promise rejects
 */
export async function launch(
  options: LauncherOptions,
  say: Say,
  signal: AbortSignal,
): Promise<Launched> {
  const running: Running = { services: [], server: undefined, release: [] };
  try {
    return await startAll(options, say, signal, running);
  } catch (error) {
    await stopAll(running);
    throw error;
  }
}

async function startAll(
  options: LauncherOptions,
  say: Say,
  signal: AbortSignal,
  running: Running,
): Promise<Launched> {
  const { dataDir } = options;
  running.release.push(await lockDataDir(dataDir), () => removeRuntime(dataDir));
  const { isNew } = await openDataDir(dataDir);
  await checkPort(options.host, options.port, signal);
  if (isNew && options.loadsDemo) await planDemo(dataDir);
  const port = options.port === 0 ? await freePort() : options.port;
  const services = await startServices({ ...options, port }, say, signal, running);
  const adminTokenFile =
    options.adminToken === undefined ? await ensureAdminToken(dataDir) : undefined;
  const env = {
    ...inheritedEnvironment(),
    ...services,
    HOST: options.host,
    PORT: String(port),
    ...(adminTokenFile === undefined ? {} : { ASSAY_ADMIN_TOKEN_FILE: adminTokenFile }),
  };
  await runProgram('migrate', [], env, signal);
  const url = `http://${options.host.includes(':') ? `[${options.host}]` : options.host}:${port}`;
  running.server = await superviseServer(env, url, dataDir, say, signal, running);
  await writeRuntime(dataDir, {
    url,
    databaseUrl: services.DATABASE_URL ?? options.databaseUrl,
    clickhouseUrl: services.CLICKHOUSE_URL ?? options.clickhouseUrl,
  });
  if (options.loadsDemo && (await isDemoPlanned(dataDir))) {
    await tryDemo(options, url, say, signal);
  }
  return { url, adminTokenFile, stop: () => stopAll(running) };
}

/** The server first, then what it needs; all at most once. */
async function stopAll(running: Running): Promise<void> {
  await running.server?.stop();
  await Promise.all(running.services.splice(0).map((service) => service.stop()));
  for (const release of running.release.splice(0).reverse()) await release();
}

interface ServiceUrls {
  readonly DATABASE_URL?: string;
  readonly CLICKHOUSE_URL?: string;
}

/** @param options with the server's port, on which the services must not listen */
async function startServices(
  options: LauncherOptions,
  say: Say,
  signal: AbortSignal,
  running: Running,
): Promise<ServiceUrls> {
  const { dataDir } = options;
  const keep = <S extends Supervised>(service: S): S => {
    running.services.push(service);
    return service;
  };
  const postgres = async (): Promise<ServiceUrls> => {
    if (options.databaseUrl !== undefined) return {};
    const log = await openLogFile(dataDir, 'postgres', running);
    const started = await startPostgres(
      {
        dataDir: join(dataDir, 'postgres'),
        keptPort: options.port,
        onTrouble: say.trouble,
        onLog: log.write,
      },
      signal,
    );
    return { DATABASE_URL: keep(started).url };
  };
  const clickhouse = async (): Promise<ServiceUrls> => {
    if (options.clickhouseUrl !== undefined) return {};
    const started = await startEngine(options, say, signal);
    return { CLICKHOUSE_URL: started === undefined ? 'none' : keep(started).url };
  };
  // Both to their end, so that both are known to be stopped when one of them fails.
  const outcomes = await Promise.allSettled([postgres(), clickhouse()]);
  const urls: ServiceUrls[] = [];
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected') throw outcome.reason;
    urls.push(outcome.value);
  }
  return Object.assign({}, ...urls) as ServiceUrls;
}

/** Undefined where there is no engine for this platform. */
async function startEngine(
  options: LauncherOptions,
  say: Say,
  signal: AbortSignal,
): Promise<RunningClickHouse | undefined> {
  const sayNone = (why: string): undefined => {
    say.progress(
      `There is no embedded ClickHouse for this platform (${why}): results come from PostgreSQL alone.`,
    );
    return undefined;
  };
  if (!hasClickHouse()) return sayNone(`${process.platform}-${process.arch}`);
  const { clickhouseReaders: readers, clickhouseMemoryBytes: maxMemoryBytes } = options;
  try {
    return await startClickHouse(
      {
        dataDir: join(options.dataDir, 'clickhouse'),
        keptPort: options.port,
        readers,
        ...(maxMemoryBytes === undefined ? {} : { maxMemoryBytes }),
        onTrouble: say.trouble,
      },
      signal,
    );
  } catch (error) {
    if (error instanceof EngineUnavailableError) return sayNone(error.message);
    throw error;
  }
}

async function ensureAdminToken(dataDir: string): Promise<string> {
  await ensureSecret(
    dataDir,
    'admin-token',
    () => `assay_admin_${randomBytes(32).toString('base64url')}`,
  );
  return join(dataDir, 'admin-token');
}

async function openLogFile(
  dataDir: string,
  name: string,
  running: Running,
): Promise<BoundedLog & { readonly path: string }> {
  const folder = join(dataDir, 'logs');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, `${name}.log`);
  const log = openLog(path, LOG_BYTES_MAX);
  running.release.push(async () => log.close());
  return { ...log, path };
}

async function superviseServer(
  env: NodeJS.ProcessEnv,
  url: string,
  dataDir: string,
  say: Say,
  signal: AbortSignal,
  running: Running,
): Promise<Supervised> {
  const log = await openLogFile(dataDir, 'server', running);
  return supervise(
    {
      name: 'The server',
      start: (startSignal) =>
        startServer({ env, url, onLog: log.write, logFile: log.path }, startSignal),
      requestStop: (child) => {
        child.kill('SIGTERM');
      },
      stopTimeoutMs: SERVER_STOP_MS,
      onTrouble: say.trouble,
    },
    signal,
  );
}

/** The platform is of use without its demo, so a failure of that is only told. */
async function tryDemo(
  options: LauncherOptions,
  url: string,
  say: Say,
  signal: AbortSignal,
): Promise<void> {
  try {
    if (options.databaseUrl !== undefined && (await hasExperiments(options, url))) return;
    say.progress('Loading the demo …');
    say.progress(await loadDemo(options, url, signal));
  } catch (error) {
    signal.throwIfAborted();
    say.trouble(
      `The demo was not loaded (${(error as Error).message}); "npx assay demo" tries again.`,
    );
  }
}
