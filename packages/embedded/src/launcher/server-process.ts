import { type ChildProcess, fork, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { untilReady } from '../supervisor/until-ready.ts';

/** The server package's programs, by name. */
function serverProgram(name: 'server' | 'migrate' | 'demo' | 'token'): string {
  return fileURLToPath(import.meta.resolve(`@assay/server/bin/${name}`));
}

/** Runs one of the programs to its end; answers its output, throws its own words when it fails. */
export function runProgram(
  name: 'migrate' | 'demo' | 'token',
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  signal?: AbortSignal,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [serverProgram(name), ...args], {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(signal === undefined ? {} : { signal }),
    });
    let output = '';
    let errors = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      errors += chunk.toString();
    });
    child.once('error', reject);
    child.once('close', (code, by) => {
      const words = errors.trim().replace(new RegExp(`^assay ${name}( create)?: `), '');
      if (code === 0) resolve(output.trim());
      else reject(new Error(words || `${name} ended with ${by ?? `code ${code}`}`));
    });
  });
}

const START_TIMEOUT_MS = 30_000;

/**
 * What the server's process is started with. Batches of events are young and soon gone: with room
 * for many of them a third of the time under load is not spent on collecting garbage.
 */
export const SERVER_FLAGS = ['--max-semi-space-size=64'];

/** Starts the server; resolves when it can serve, rejects with its own words when it ends. */
export async function startServer(
  options: {
    readonly env: NodeJS.ProcessEnv;
    readonly url: string;
    readonly onLog: (chunk: Buffer) => void;
    readonly logFile: string;
  },
  signal: AbortSignal,
): Promise<ChildProcess> {
  signal.throwIfAborted();
  // Over the channel the server notices when this process is gone, however it went.
  const child = fork(serverProgram('server'), [], {
    env: options.env,
    execArgv: SERVER_FLAGS,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    // A session of its own: Ctrl-C in the terminal is for the launcher, which passes it on.
    detached: true,
  });
  child.stdout?.on('data', options.onLog);
  child.stderr?.on('data', options.onLog);
  await untilReady(
    child,
    {
      isReady: () => isReady(options.url),
      timeoutMs: START_TIMEOUT_MS,
      lastSignal: 'SIGKILL',
      whenEnded: (words) => words.replace(/^assay: /, '') || 'the server ended at its start',
      whenLate: `the server was not ready within ${START_TIMEOUT_MS / 1000} s; see ${options.logFile}`,
    },
    signal,
  );
  return child;
}

async function isReady(url: string): Promise<boolean> {
  try {
    const response = await fetch(new URL('/ready', url), { signal: AbortSignal.timeout(1_000) });
    return response.ok;
  } catch {
    // Not listening yet.
    return false;
  }
}
