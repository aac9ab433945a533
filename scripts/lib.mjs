import { spawn, spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Runs a command with inherited output; resolves with its exit code. */
export function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: ROOT, stdio: 'inherit', ...options });
    child.on('error', reject);
    child.on('close', (code, signal) => resolve(signal === null ? code : 1));
  });
}

/** Like {@link run}, but ends this process when the command fails. */
export async function must(command, args, options = {}) {
  const code = await run(command, args, options);
  if (code !== 0) {
    console.error(`${command} ${args.join(' ')} failed with code ${code}`);
    process.exit(1);
  }
}

export const has = (command) =>
  spawnSync('sh', ['-c', `command -v ${command}`], { stdio: 'ignore' }).status === 0;

/** Installs the locked dependencies when they are missing or older than the lockfile. */
export async function ensureInstalled() {
  const marker = `${ROOT}node_modules/.package-lock.json`;
  const isFresh =
    existsSync(marker) && statSync(marker).mtimeMs >= statSync(`${ROOT}package-lock.json`).mtimeMs;
  if (isFresh) return;
  console.log('Installing dependencies …');
  await must('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
}

/** Compiles what changed; half a second when nothing did. */
export async function ensureBuilt() {
  await must('npx', ['--no-install', 'tsc', '-b', 'packages/embedded']);
}
