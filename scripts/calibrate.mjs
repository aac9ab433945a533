// npm run calibrate [-- --only TEXT] [--simulations N] [--seed N] [--json FILE]: measures the error
// rates and coverages of every statistical method, and fails when one is outside of its band.
import { ensureInstalled, ROOT, run } from './lib.mjs';

await ensureInstalled();
process.exitCode = await run(process.execPath, [
  '--import',
  'tsx',
  '--conditions=@assay/source',
  `${ROOT}packages/core/calibration/run.ts`,
  ...process.argv.slice(2),
]);
