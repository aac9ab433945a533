import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writePrivately } from '../data-dir/secrets.ts';
import { inheritedEnvironment } from '../environment.ts';
import type { LauncherOptions } from './options.ts';
import { runProgram } from './server-process.ts';

const TIMEOUT_MS = 10_000;

const pendingFile = (dataDir: string): string => join(dataDir, 'demo-pending');

/** Notes that a new data directory is to get the demo: it may take more than one start. */
export async function planDemo(dataDir: string): Promise<void> {
  await writeFile(pendingFile(dataDir), '', { mode: 0o600 });
}

export const isDemoPlanned = (dataDir: string): Promise<boolean> =>
  readFile(pendingFile(dataDir)).then(
    () => true,
    () => false,
  );

/** Loads the demo through the API; answers what it says. To do it again changes nothing. */
export async function loadDemo(
  options: Pick<LauncherOptions, 'dataDir' | 'adminToken'>,
  url: string,
  signal?: AbortSignal,
): Promise<string> {
  const load = (tokenFile: string): Promise<string> =>
    runProgram('demo', ['--url', url, '--token-file', tokenFile], inheritedEnvironment(), signal);
  const said = await withTokenFile(options, load);
  await rm(pendingFile(options.dataDir), { force: true });
  return said;
}

/** Whether somebody's own experiments are there already, as they may be in a given database. */
export async function hasExperiments(
  options: Pick<LauncherOptions, 'dataDir' | 'adminToken'>,
  url: string,
): Promise<boolean> {
  return withTokenFile(options, async (file) => {
    const token = (await readFile(file, 'utf8')).trim();
    const response = await fetch(new URL('/v1/experiments?limit=1', url), {
      headers: { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (!response.ok) throw new Error(`the experiments could not be listed: ${response.status}`);
    return ((await response.json()) as { items: unknown[] }).items.length > 0;
  });
}

/** A token that was given as text is in a file only while it is needed there. */
async function withTokenFile<T>(
  { dataDir, adminToken }: Pick<LauncherOptions, 'dataDir' | 'adminToken'>,
  use: (file: string) => Promise<T>,
): Promise<T> {
  if (adminToken === undefined) return use(join(dataDir, 'admin-token'));
  if ('file' in adminToken) return use(adminToken.file);
  const file = join(dataDir, `token-${process.pid}.tmp`);
  await writePrivately(file, adminToken.text);
  try {
    return await use(file);
  } finally {
    await rm(file, { force: true });
  }
}
