import { type ChildProcess, fork } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../data-dir/free-port.ts';
import { ensureSecret } from '../data-dir/secrets.ts';
import { inheritedEnvironment } from '../environment.ts';
import { type Supervised, supervise } from '../supervisor/supervise.ts';
import type { ChildMessage, ChildOptions } from './child.ts';

export interface ClickHouseOptions {
  /** Folder of the engine's data; its password is kept beside it. */
  readonly dataDir: string;
  /** Connections that read; each runs one statement at a time. */
  readonly readers?: number;
  /** Memory of the engine as a whole, in bytes. */
  readonly maxMemoryBytes?: number;
  readonly onTrouble?: (message: string) => void;
}

/** A ClickHouse engine behind a loopback HTTP endpoint. */
export interface RunningClickHouse extends Supervised {
  /** For `@clickhouse/client`; names the database `assay`. */
  readonly url: string;
}

const START_TIMEOUT_MS = 60_000;
const GIB = 1024 ** 3;

/** Whether the engine's package is there for this platform. */
export async function hasClickHouse(): Promise<boolean> {
  try {
    import.meta.resolve('chdb');
  } catch {
    return false;
  }
  // The package installs on any platform; its library exists for some.
  const isSupported =
    ['linux', 'darwin'].includes(process.platform) && ['x64', 'arm64'].includes(process.arch);
  return isSupported;
}

/** Starts the engine on a data directory, made if there is none, and keeps it running. */
export async function startClickHouse(options: ClickHouseOptions): Promise<RunningClickHouse> {
  const dataDir = resolve(options.dataDir);
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const password = await ensureSecret(dirname(dataDir), 'clickhouse-password');
  const readers = options.readers ?? 3;
  const childOptions: ChildOptions = {
    dataDir,
    port: await freePort(),
    user: 'assay',
    password,
    readers,
    maxMemoryBytes: options.maxMemoryBytes ?? Math.floor(Math.min(4 * GIB, totalmem() / 2)),
    maxExecutionSeconds: 60,
  };
  const supervised = await supervise({
    name: 'ClickHouse',
    start: () => startWhenUnlocked(childOptions),
    requestStop: (child) => {
      child.kill('SIGTERM');
    },
    stopTimeoutMs: 4_000,
    onTrouble: options.onTrouble ?? (() => {}),
  });
  return { ...supervised, url: `http://assay:${password}@127.0.0.1:${childOptions.port}/assay` };
}

/** An engine whose parent was killed holds the directory until it has noticed. */
const LOCK_PATIENCE_MS = 10_000;

async function startWhenUnlocked(options: ChildOptions): Promise<ChildProcess> {
  const deadline = performance.now() + LOCK_PATIENCE_MS;
  for (;;) {
    try {
      return await startChild(options);
    } catch (error) {
      const isLocked = /Cannot lock|Code: 76\b/.test((error as Error).message);
      if (!isLocked || performance.now() > deadline) throw error;
      await new Promise((done) => setTimeout(done, 200));
    }
  }
}

async function startChild(options: ChildOptions): Promise<ChildProcess> {
  const isSource = import.meta.url.endsWith('.ts');
  const path = fileURLToPath(new URL(isSource ? './child.ts' : './child.js', import.meta.url));
  const child = fork(path, [], {
    execArgv: isSource ? ['--import', 'tsx'] : [],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    // Each running query holds one thread of libuv's pool.
    env: { ...inheritedEnvironment(), UV_THREADPOOL_SIZE: String(options.readers + 9) },
  });
  child.send(options);
  const message = await new Promise<ChildMessage>((done) => {
    const timer = setTimeout(
      () => done({ error: `no answer within ${START_TIMEOUT_MS / 1000} s` }),
      START_TIMEOUT_MS,
    );
    const settle = (result: ChildMessage): void => {
      clearTimeout(timer);
      done(result);
    };
    child.once('message', (received) => settle(received as ChildMessage));
    child.once('error', (error) => settle({ error: error.message }));
    child.once('exit', (code, signal) => settle({ error: `it ended with ${signal ?? code}` }));
  });
  if ('error' in message) {
    child.kill('SIGKILL');
    throw new Error(`ClickHouse did not start: ${message.error}`);
  }
  return child;
}
