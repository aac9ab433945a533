import { createHash, randomUUID } from 'node:crypto';
import { link, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from './make-folder.ts';
import { identityOf, type ProcessIdentity, stillRuns } from './process-identity.ts';

const fileOf = (dataDir: string): string => join(dataDir, 'lock');

const ATTEMPTS = 100;
const PAUSE_MS = 20;
/** Whoever takes over a stale lock has done it, or has died at it, long before that. */
const TAKEOVER_MAX_MS = 10_000;

/**
 * Takes the data directory for this process.
 *
 * @returns what gives it back
 * @throws Error with one sentence when another process has it
 */
export async function lockDataDir(dataDir: string): Promise<() => Promise<void>> {
  const path = fileOf(dataDir);
  const own = JSON.stringify(await identityOf(process.pid));
  const draft = `${path}.${randomUUID()}`;
  await makeFolder(dataDir);
  await writeFile(draft, own, { mode: 0o600 });
  try {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      // A link appears with its content or not at all, and only where nothing is.
      if (await tryLink(draft, path)) return () => unlock(path, own);
      const found = await readFile(path, 'utf8').catch(() => undefined);
      if (found === undefined) continue;
      const owner = parseOwner(found);
      if (owner !== undefined && (await stillRuns(owner))) {
        throw new Error(
          `${dataDir} is in use by another Assay (process ${owner.pid}); stop it first, or set ASSAY_DATA_DIR`,
        );
      }
      if (await takeOver(draft, path, found)) return () => unlock(path, own);
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
    throw new Error(`${dataDir} could not be locked; is another Assay starting?`);
  } finally {
    await rm(draft, { force: true });
  }
}

/**
 * Puts the draft in the place of a stale lock. Only one process can make the link that stands for
 * this very lock, so nobody removes what another one has put there meanwhile.
 */
async function takeOver(draft: string, path: string, stale: string): Promise<boolean> {
  const turn = `${path}.${createHash('sha256').update(stale).digest('hex').slice(0, 16)}`;
  if (!(await tryLink(draft, turn))) {
    const { mtimeMs } = await stat(turn).catch(() => ({ mtimeMs: Date.now() }));
    if (Date.now() - mtimeMs > TAKEOVER_MAX_MS) await rm(turn, { force: true });
    return false;
  }
  if ((await readFile(path, 'utf8').catch(() => undefined)) !== stale) {
    await rm(turn, { force: true });
    return false;
  }
  await rename(turn, path);
  return true;
}

/** The living process that has the data directory, undefined when nobody has it. */
export async function lockOwner(dataDir: string): Promise<ProcessIdentity | undefined> {
  const owner = parseOwner(await readFile(fileOf(dataDir), 'utf8').catch(() => ''));
  return owner !== undefined && (await stillRuns(owner)) ? owner : undefined;
}

async function tryLink(draft: string, path: string): Promise<boolean> {
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function unlock(path: string, own: string): Promise<void> {
  const content = await readFile(path, 'utf8').catch(() => '');
  if (content === own) await rm(path, { force: true });
}

function parseOwner(content: string): ProcessIdentity | undefined {
  try {
    const owner = JSON.parse(content) as Partial<ProcessIdentity>;
    if (!Number.isInteger(owner.pid)) return undefined;
    return { pid: Number(owner.pid), startedAt: owner.startedAt ?? '' };
  } catch {
    // Of no use: the power went off while it was written.
    return undefined;
  }
}
