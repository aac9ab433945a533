import { mkdir, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** What the lock file says of its owner. */
interface Owner {
  readonly pid: number;
  /** Tells a process from a later one with the same number; empty where the system does not say. */
  readonly startedAt: string;
}

/** Ticks since boot at which a process began, from Linux' /proc; empty elsewhere. */
async function startTime(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // The name in parentheses may hold blanks; the start time is the 20th field after it.
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}

async function isAlive({ pid, startedAt }: Owner): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  const now = await startTime(pid);
  return startedAt === '' || now === '' || now === startedAt;
}

/**
 * Takes the data directory for this process.
 *
 * @returns what gives it back
 * @throws Error with one sentence when another process has it
 */
export async function lockDataDir(dataDir: string): Promise<() => Promise<void>> {
  await mkdir(dataDir, { recursive: true });
  const path = join(dataDir, 'lock');
  const own: Owner = { pid: process.pid, startedAt: await startTime(process.pid) };
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      const file = await open(path, 'wx', 0o600);
      await file.writeFile(JSON.stringify(own));
      await file.close();
      return () => rm(path, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      const owner = await readOwner(path);
      if (owner !== undefined && (await isAlive(owner))) {
        throw new Error(
          `${dataDir} is in use by another Assay (process ${owner.pid}); stop it first, or set ASSAY_DATA_DIR`,
        );
      }
      // Its owner was killed.
      await rm(path, { force: true });
    }
  }
  throw new Error(`${dataDir} could not be locked; is another Assay starting?`);
}

async function readOwner(path: string): Promise<Owner | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Owner;
  } catch {
    // Half written, or gone: nobody who is alive leaves it like that for long.
    return undefined;
  }
}
