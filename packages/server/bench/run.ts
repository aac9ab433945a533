import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { assignment } from './assignment.ts';
import { calibration } from './calibration.ts';
import { evaluation } from './evaluation.ts';
import { machine, type Row } from './harness.ts';
import { ingest } from './ingest.ts';
import { pipeline } from './pipeline.ts';
import { results } from './results.ts';
import { statistics } from './statistics.ts';

const BENCHMARKS: Readonly<Record<string, () => Promise<readonly Row[]>>> = {
  evaluation,
  assignment,
  ingest,
  pipeline,
  results,
  calibration,
  statistics,
};

const { values, positionals } = parseArgs({
  options: { json: { type: 'string' } },
  allowPositionals: true,
});
const unknown = positionals.find((name) => BENCHMARKS[name] === undefined);
if (unknown !== undefined) {
  console.error(
    `There is no benchmark "${unknown}"; there are ${Object.keys(BENCHMARKS).join(', ')}.`,
  );
  process.exit(2);
}
const chosen = positionals.length > 0 ? positionals : Object.keys(BENCHMARKS);
console.log(machine());
const report: Record<string, readonly Row[]> = {};
for (const name of chosen) {
  const rows = (await BENCHMARKS[name]?.()) ?? [];
  report[name] = rows;
  console.log(`\n${name}`);
  const width = Math.max(...rows.map(({ what }) => what.length));
  for (const { what, figure, floor, isMet } of rows) {
    const verdict = floor === undefined ? '' : `   ${floor}: ${isMet ? 'met' : 'MISSED'}`;
    console.log(`  ${what.padEnd(width)}  ${figure.padStart(12)}${verdict}`);
  }
}
if (values.json !== undefined) {
  writeFileSync(
    values.json,
    `${JSON.stringify({ machine: machine(), benchmarks: report }, null, 2)}\n`,
  );
}
