import { type ChildProcess, fork, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { rename, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

/** The server package's programs, by name. */
function serverProgram(name: 'server' | 'migrate' | 'demo' | 'token'): string {
  return fileURLToPath(import.meta.resolve(`@assay/server/bin/${name}`));
}

/** Runs one of the programs to its end; answers its output, throws its own words when it fails. */
export function runProgram(
  name: 'migrate' | 'demo' | 'token',
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [serverProgram(name), ...args], {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
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
    child.once('close', (code) => {
      if (code === 0) resolve(output.trim());
      else reject(new Error(errors.trim() || `${name} ended with code ${code}`));
    });
  });
}

const LOG_BYTES_MAX = 50 * 1024 * 1024;
const START_TIMEOUT_MS = 30_000;

/** Starts the server; resolves when it can serve, rejects with its own words when it ends. */
export async function startServer(options: {
  readonly env: NodeJS.ProcessEnv;
  readonly url: string;
  readonly logFile: string;
}): Promise<ChildProcess> {
  await rotate(options.logFile);
  const log = createWriteStream(options.logFile, { flags: 'a', mode: 0o600 });
  // Over the channel the server notices when this process is gone, however it went.
  const child = fork(serverProgram('server'), [], {
    env: options.env,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let words = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    words = (words + chunk.toString()).slice(-4_000);
  });
  child.stdout?.pipe(log);
  child.stderr?.pipe(log);
  let startError: Error | undefined;
  child.once('error', (error) => {
    startError = error;
  });
  for (let waited = 0; waited < START_TIMEOUT_MS; waited += 50) {
    if (startError !== undefined) throw startError;
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new Error(words.trim().replace(/^assay: /, '') || 'the server ended at its start');
    }
    if (await isReady(options.url)) return child;
    await new Promise((done) => setTimeout(done, 50));
  }
  child.kill('SIGKILL');
  throw new Error(
    `the server was not ready within ${START_TIMEOUT_MS / 1000} s; see ${options.logFile}`,
  );
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

/** Keeps one earlier log beside the present one. */
async function rotate(logFile: string): Promise<void> {
  const size = await stat(logFile).then(
    (found) => found.size,
    () => 0,
  );
  if (size > LOG_BYTES_MAX) await rename(logFile, `${logFile}.1`);
}
