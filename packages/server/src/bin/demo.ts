import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { loadDemo } from '../demo/load.ts';

const FILE = new URL('../../data/star-kindergarten.csv', import.meta.url);

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { url: { type: 'string' }, 'token-file': { type: 'string' } },
  });
  const { url, 'token-file': tokenFile } = values;
  if (url === undefined || tokenFile === undefined) {
    throw new Error('--url and --token-file are needed');
  }
  const token = (await readFile(tokenFile, 'utf8')).trim();
  const report = await loadDemo(url, token, await readFile(FILE, 'utf8'));
  process.stdout.write(
    report.wasComplete
      ? 'The demo is loaded already.\n'
      : `Demo loaded: ${report.exposures} exposures and ${report.events} events of the STAR trial.\n`,
  );
}

main().catch((error: Error) => {
  process.stderr.write(`assay demo: ${error.message}\n`);
  process.exitCode = 1;
});
