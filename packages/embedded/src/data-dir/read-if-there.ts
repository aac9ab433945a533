import { readFile } from 'node:fs/promises';

/**
 * The text of a file; undefined where there is none.
 *
 * @throws whatever else keeps it from being read: who is told "there is none" may make it anew, and
 *   so destroy what is there
 */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
