// Everything that can be said of the code without running it, in parallel: format and lint, types,
// dead code. Ends with a non-zero code and the output of what failed.
import { spawn } from 'node:child_process';

const CHECKS = [
  ['biome', ['check', '--error-on-warnings', '.']],
  ['tsc', ['-b']],
  ['knip', []],
];

const run = ([command, args]) =>
  new Promise((resolve) => {
    const startedAt = performance.now();
    const child = spawn('npx', ['--no-install', command, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    child.stderr.on('data', (chunk) => {
      output += chunk;
    });
    child.on('close', (code) =>
      resolve({ command, code, output, seconds: (performance.now() - startedAt) / 1000 }),
    );
  });

const results = await Promise.all(CHECKS.map(run));
for (const { command, code, output, seconds } of results) {
  console.log(`${code === 0 ? 'ok  ' : 'FAIL'} ${command} (${seconds.toFixed(1)} s)`);
  if (code !== 0) console.log(output);
}
process.exitCode = results.every(({ code }) => code === 0) ? 0 : 1;
