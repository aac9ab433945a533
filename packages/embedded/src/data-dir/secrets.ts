import { randomBytes } from 'node:crypto';
import { chmod, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readIfThere } from './read-if-there.ts';

/** Writes a file that only its owner can read; whole or not at all. */
export async function writePrivately(path: string, content: string): Promise<void> {
  const draft = `${path}.${process.pid}.tmp`;
  await writeFile(draft, content, { mode: 0o600, flush: true });
  await chmod(draft, 0o600);
  await rename(draft, path);
}

/** Reads the secret kept under `name` in the data directory; made at its first use. */
export async function ensureSecret(
  dataDir: string,
  name: string,
  make: () => string = () => randomBytes(24).toString('base64url'),
): Promise<string> {
  const path = join(dataDir, name);
  const known = await readIfThere(path);
  if (known !== undefined && known.trim() !== '') return known.trim();
  const secret = make();
  await writePrivately(path, `${secret}\n`);
  return secret;
}
