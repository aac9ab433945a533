// npm test, from a fresh clone on: installs what the tests need, checks the code, runs every test,
// and ends with "N passed, N failed".
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { ensureBuilt, ensureInstalled, has, must, ROOT, run } from './lib.mjs';

const isCi = process.env.CI === 'true';
const CACHE = `${ROOT}node_modules/.cache/assay`;
const MMH3 = 'mmh3==5.3.1';

/** A Python with mmh3, the reference of the hash; undefined where there is none to be had. */
async function ensurePython() {
  const venv = `${CACHE}/python`;
  const python = `${venv}/bin/python`;
  const works = () => existsSync(python) && spawnSync(python, ['-c', 'import mmh3']).status === 0;
  if (works()) return python;
  if (!has('python3')) return undefined;
  rmSync(venv, { recursive: true, force: true });
  if ((await run('python3', ['-m', 'venv', venv])) !== 0) return undefined;
  await run(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', MMH3]);
  return works() ? python : undefined;
}

await ensureInstalled();
mkdirSync(CACHE, { recursive: true });
await ensureBuilt();
await must('node', ['scripts/check.mjs']);

const python = await ensurePython();
if (python === undefined && isCi) {
  console.error(`Python 3 with venv and ${MMH3} is needed and could not be installed`);
  process.exit(1);
}

const report = `${CACHE}/test-report.json`;
rmSync(report, { force: true });
const code = await run(
  'npx',
  [
    '--no-install',
    'vitest',
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
  ],
  { env: { ...process.env, ...(python === undefined ? {} : { ASSAY_TEST_PYTHON: python }) } },
);
if (!existsSync(report)) {
  console.log('0 passed, 1 failed');
  process.exit(1);
}
const { numPassedTests, numFailedTests, numFailedTestSuites, numPendingTests, success } =
  JSON.parse(readFileSync(report, 'utf8'));
// A suite can fail without a failed test: a file that does not load, a hook that throws.
const failed = Math.max(
  numFailedTests,
  success && code === 0 ? 0 : Math.max(1, numFailedTestSuites),
);
if (isCi && numPendingTests > 0) {
  console.error(`${numPendingTests} tests were skipped, which CI does not allow`);
  process.exitCode = 1;
}
if (failed > 0 || code !== 0) process.exitCode = 1;
const skipped = numPendingTests > 0 ? `, ${numPendingTests} skipped` : '';
console.log(`${numPassedTests} passed, ${failed} failed${skipped}`);
