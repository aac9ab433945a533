import { chmod, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from './make-folder.ts';
import { readIfThere } from './read-if-there.ts';
import { writePrivately } from './secrets.ts';

/** Grows when a version of Assay cannot read what an earlier one has written, or the reverse. */
const FORMAT = 1;

interface Marker {
  readonly format: number;
}

/**
 * Makes the data directory where there is none.
 *
 * @returns whether it is new: nothing has been kept in it yet
 * @throws Error with one sentence when it was made by an incompatible version, or is not Assay's
 */
export async function openDataDir(dataDir: string): Promise<{ readonly isNew: boolean }> {
  await makeFolder(dataDir);
  const path = join(dataDir, 'assay.json');
  const text = await readIfThere(path);
  if (text !== undefined) {
    checkFormat(dataDir, text);
    return { isNew: false };
  }
  const isOlder = await holdsData(dataDir);
  if (!isOlder) await checkEmpty(dataDir);
  // Root lends PostgreSQL another account, which must be able to pass, but need not look around.
  await chmod(dataDir, process.getuid?.() === 0 ? 0o711 : 0o700);
  await writePrivately(path, `${JSON.stringify({ format: FORMAT } satisfies Marker)}\n`);
  return { isNew: !isOlder };
}

function checkFormat(dataDir: string, text: string): void {
  let format: unknown;
  try {
    format = (JSON.parse(text) as Partial<Marker>).format;
  } catch {
    throw new Error(
      `${join(dataDir, 'assay.json')} is damaged; set ASSAY_DATA_DIR to another folder`,
    );
  }
  if (format !== FORMAT) {
    throw new Error(
      `${dataDir} was made by another version of Assay (its format is ${format}, and this version's is ${FORMAT}); use that version, or set ASSAY_DATA_DIR to another folder`,
    );
  }
}

/** Data of a version that left no marker yet. */
async function holdsData(dataDir: string): Promise<boolean> {
  return (await readIfThere(join(dataDir, 'postgres', 'PG_VERSION'))) !== undefined;
}

/** Somebody's home directory is not filled with databases because of a mistyped setting. */
async function checkEmpty(dataDir: string): Promise<void> {
  const own = /^(lock|postgres|clickhouse|logs|admin-token|.*-password|.*\.tmp|lock\..*)$/;
  const foreign = (await readdir(dataDir)).find((name) => !own.test(name));
  if (foreign !== undefined) {
    throw new Error(
      `${dataDir} holds files that are not Assay's (${foreign}); set ASSAY_DATA_DIR to an empty or new folder`,
    );
  }
}
