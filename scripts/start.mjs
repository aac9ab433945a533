// npm start, from a fresh clone on: installs, builds what changed, and runs the launcher.
import { spawn } from 'node:child_process';
import { ensureBuilt, ensureInstalled, ROOT } from './lib.mjs';

await ensureInstalled();
await ensureBuilt();

// The launcher's folder is where the command was given; npm says which that was.
const child = spawn(process.execPath, [`${ROOT}packages/embedded/bin/assay.mjs`, 'start'], {
  stdio: 'inherit',
});
// Ctrl-C reaches the child by itself (same terminal); a signal to this process alone must be passed
// on. Either way this process ends when the child has stopped everything.
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
process.on('SIGINT', () => {});
child.on('close', (code) => {
  process.exitCode = code ?? 1;
});
