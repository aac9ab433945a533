import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { lockOwner } from '../data-dir/lock.ts';
import { readIfThere } from '../data-dir/read-if-there.ts';
import { writePrivately } from '../data-dir/secrets.ts';

/** How to reach what a running launcher has started; kept in the data directory, mode 0600. */
export interface Runtime {
  readonly url: string;
  readonly databaseUrl: string | undefined;
  readonly clickhouseUrl: string | undefined;
}

const fileOf = (dataDir: string): string => join(dataDir, 'runtime.json');

export async function writeRuntime(dataDir: string, runtime: Runtime): Promise<void> {
  await writePrivately(fileOf(dataDir), `${JSON.stringify(runtime)}\n`);
}

export async function removeRuntime(dataDir: string): Promise<void> {
  await rm(fileOf(dataDir), { force: true });
}

/** Undefined when nothing runs on this data directory, also after its launcher was killed. */
export async function readRuntime(dataDir: string): Promise<Runtime | undefined> {
  if ((await lockOwner(dataDir)) === undefined) return undefined;
  const text = await readIfThere(fileOf(dataDir));
  return text === undefined ? undefined : (JSON.parse(text) as Runtime);
}
