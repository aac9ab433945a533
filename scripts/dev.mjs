// npm run dev: the launcher, started anew after every change that compiles.
import { spawn } from 'node:child_process';
import { ensureBuilt, ensureInstalled, ROOT } from './lib.mjs';

await ensureInstalled();
await ensureBuilt();

let launcher;
let isStopping = false;
const start = () => {
  launcher = spawn(process.execPath, [`${ROOT}packages/embedded/bin/assay.mjs`, 'start'], {
    stdio: 'inherit',
  });
  launcher.on('close', (code) => {
    if (isStopping) process.exit(code ?? 1);
  });
};
start();

const compiler = spawn(
  'npx',
  ['--no-install', 'tsc', '-b', 'packages/embedded', '--watch', '--preserveWatchOutput'],
  {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
  },
);
let isFirst = true;
compiler.stdout.on('data', (chunk) => {
  process.stdout.write(chunk);
  if (!/Found 0 errors/.test(chunk)) return;
  if (!isFirst) {
    launcher.once('close', start);
    launcher.kill('SIGTERM');
  }
  isFirst = false;
});
const stop = () => {
  isStopping = true;
  compiler.kill();
  launcher.kill('SIGTERM');
};
process.on('SIGINT', stop);
process.on('SIGTERM', stop);
