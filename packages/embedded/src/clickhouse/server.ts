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
  /** A port that something else will listen on. */
  readonly keptPort?: number;
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

/** The package is installed, but its library does not load here, as on a Linux without glibc. */
export class EngineUnavailableError extends Error {
  override readonly name = 'EngineUnavailableError';
}

const failed = (error: string): ChildMessage => ({ error, isUnavailable: false });

const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 3_500;
const GIB = 1024 ** 3;

/** Whether the engine's package is there for this platform; it may still not load. */
export function hasClickHouse(): boolean {
  try {
    import.meta.resolve('chdb');
  } catch {
    return false;
  }
  // The package installs on any platform; its library exists for some.
  return ['linux', 'darwin'].includes(process.platform) && ['x64', 'arm64'].includes(process.arch);
}

/** Starts the engine on a data directory, made if there is none, and keeps it running. */
export async function startClickHouse(
  options: ClickHouseOptions,
  signal?: AbortSignal,
): Promise<RunningClickHouse> {
  const dataDir = resolve(options.dataDir);
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const password = await ensureSecret(dirname(dataDir), 'clickhouse-password');
  const readers = options.readers ?? 3;
  const childOptions: ChildOptions = {
    dataDir,
    port: await freePort(options.keptPort),
    user: 'assay',
    password,
    readers,
    maxMemoryBytes: options.maxMemoryBytes ?? Math.floor(Math.min(4 * GIB, totalmem() / 2)),
    maxExecutionSeconds: 60,
    maxWaiting: 200,
  };
  const supervised = await supervise(
    {
      name: 'ClickHouse',
      start: (startSignal) => startWhenUnlocked(childOptions, startSignal),
      requestStop: (child) => {
        child.kill('SIGTERM');
      },
      stopTimeoutMs: STOP_TIMEOUT_MS,
      onTrouble: options.onTrouble ?? (() => {}),
    },
    signal,
  );
  return { ...supervised, url: `http://assay:${password}@127.0.0.1:${childOptions.port}/assay` };
}

/** An engine whose parent was killed holds the directory until it has noticed. */
const LOCK_PATIENCE_MS = 10_000;

async function startWhenUnlocked(
  options: ChildOptions,
  signal: AbortSignal,
): Promise<ChildProcess> {
  const deadline = performance.now() + LOCK_PATIENCE_MS;
  for (;;) {
    try {
      return await startChild(options, signal);
    } catch (error) {
      const isLocked = /Cannot lock|Code: 76\b/.test((error as Error).message);
      if (!isLocked || performance.now() > deadline) throw error;
      await new Promise((done) => setTimeout(done, 200));
    }
  }
}

async function startChild(options: ChildOptions, signal: AbortSignal): Promise<ChildProcess> {
  signal.throwIfAborted();
  const isSource = import.meta.url.endsWith('.ts');
  const path = fileURLToPath(new URL(isSource ? './child.ts' : './child.js', import.meta.url));
  const child = fork(path, [], {
    execArgv: isSource ? ['--import', 'tsx'] : [],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    // A session of its own: signals of the terminal are for the launcher.
    detached: true,
    env: {
      ...inheritedEnvironment(),
      // Each running statement holds one thread of libuv's pool: readers, writer, the one that
      // cancels, and the rest for files and sockets.
      UV_THREADPOOL_SIZE: String(options.readers + 10),
      // The engine takes its time zone from here, and a server's is UTC.
      TZ: 'UTC',
    },
  });
  child.send(options);
  const message = await firstMessage(child, signal);
  if ('error' in message) {
    child.kill('SIGKILL');
    if (message.isUnavailable) throw new EngineUnavailableError(message.error);
    throw new Error(`ClickHouse did not start: ${message.error}`);
  }
  return child;
}

function firstMessage(child: ChildProcess, signal: AbortSignal): Promise<ChildMessage> {
  return new Promise((done) => {
    const settle = (result: ChildMessage): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      done(result);
    };
    const onAbort = (): void => settle(failed('it was no longer needed'));
    const timer = setTimeout(
      () => settle(failed(`no answer within ${START_TIMEOUT_MS / 1000} s`)),
      START_TIMEOUT_MS,
    );
    signal.addEventListener('abort', onAbort);
    child.once('message', (received) => settle(received as ChildMessage));
    child.once('error', (error) => settle(failed(error.message)));
    child.once('exit', (code, by) => settle(failed(`it ended with ${by ?? code}`)));
  });
}
