// npm start, from a fresh clone on: installs, builds what changed, and runs the launcher.
import { spawn } from 'node:child_process';
import { ensureBuilt, ensureInstalled, ROOT } from './lib.mjs';

await ensureInstalled();
await ensureBuilt();

// The launcher's folder is where the command was given; npm says which that was.
const child = spawn(process.execPath, [`${ROOT}packages/embedded/bin/assay.mjs`, 'start'], {
  stdio: 'inherit',
});
// Ctrl-C reaches the launcher by itself too (same terminal); it takes both for one wish. This
// process ends when the launcher has stopped everything.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('error', (error) => {
  console.error(`assay: the launcher could not be started: ${error.message}`);
  process.exitCode = 1;
});
child.on('close', (code, signal) => {
  process.exitCode = code ?? (signal === null ? 1 : 128);
});
