// npm test, from a fresh clone on: installs what the tests need, checks the code, runs every test,
// and ends with "N passed, N failed".
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { ensureBuilt, ensureInstalled, has, must, ROOT, run } from './lib.mjs';

const isCi = process.env.CI === 'true';
const CACHE = `${ROOT}node_modules/.cache/assay`;
const REQUIREMENTS = `${ROOT}spec/statistics/check/requirements.txt`;

/**
 * A Python with the references that tests compare with: mmh3 of the hash, SciPy and statsmodels of
 * the statistics; undefined where there is none to be had.
 */
async function ensurePython() {
  const venv = `${CACHE}/python`;
  const python = `${venv}/bin/python`;
  // What was installed, noted last: a half-made environment is made anew.
  const installed = `${venv}/requirements.txt`;
  const requirements = readFileSync(REQUIREMENTS, 'utf8');
  const works = () =>
    existsSync(installed) &&
    readFileSync(installed, 'utf8') === requirements &&
    spawnSync(python, ['-c', 'import mmh3, numpy']).status === 0;
  if (works()) return python;
  if (!has('python3')) return undefined;
  rmSync(venv, { recursive: true, force: true });
  if ((await run('python3', ['-m', 'venv', venv])) !== 0) return undefined;
  console.log('Installing SciPy and statsmodels for the tests …');
  const options = ['--quiet', '--disable-pip-version-check', '--only-binary=:all:', '--no-compile'];
  const code = await run(python, ['-m', 'pip', 'install', ...options, '-r', REQUIREMENTS]);
  if (code !== 0) return undefined;
  writeFileSync(installed, requirements);
  return works() ? python : undefined;
}

await ensureInstalled();
mkdirSync(CACHE, { recursive: true });
await ensureBuilt();
await must('node', ['scripts/check.mjs']);

const python = await ensurePython();
if (python === undefined && isCi) {
  console.error(
    'Python ≥ 3.11 with venv and spec/statistics/check/requirements.txt is needed and could not be installed',
  );
  process.exit(1);
}

/** Runs one project's tests; answers what came of them. */
async function runProject(project) {
  const report = `${CACHE}/${project}.json`;
  rmSync(report, { force: true });
  const code = await run(
    'npx',
    [
      '--no-install',
      'vitest',
      'run',
      `--project=${project}`,
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
    ],
    { env: { ...process.env, ...(python === undefined ? {} : { TEST_PYTHON: python }) } },
  );
  if (!existsSync(report)) return { passed: 0, failed: 1, skipped: 0 };
  const { numPassedTests, numFailedTests, numFailedTestSuites, numPendingTests, success } =
    JSON.parse(readFileSync(report, 'utf8'));
  // A suite can fail without a failed test: a file that does not load, a hook that throws.
  const isWell = success && code === 0;
  const failed = isWell ? numFailedTests : Math.max(1, numFailedTests, numFailedTestSuites);
  return { passed: numPassedTests, failed, skipped: numPendingTests };
}

// One kind after the other: each brings services of its own, and two cores are soon busy.
const total = { passed: 0, failed: 0, skipped: 0 };
for (const project of ['unit', 'pg', 'ch', 'e2e']) {
  const result = await runProject(project);
  for (const name of Object.keys(total)) total[name] += result[name];
}
if (isCi && total.skipped > 0) {
  console.error(`${total.skipped} tests were skipped, which CI does not allow`);
  process.exitCode = 1;
}
if (total.failed > 0) process.exitCode = 1;
const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : '';
console.log(`${total.passed} passed, ${total.failed} failed${skipped}`);
