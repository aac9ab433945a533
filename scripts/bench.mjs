// npm run bench [-- name …] [--json FILE]: runs benchmarks on real services, prints a table each.
import { ensureBuilt, ensureInstalled, ROOT, run } from './lib.mjs';

await ensureInstalled();
await ensureBuilt();
process.exitCode = await run(process.execPath, [
  '--import',
  'tsx',
  '--conditions=@assay/source',
  `${ROOT}packages/server/bench/run.ts`,
  ...process.argv.slice(2),
]);
