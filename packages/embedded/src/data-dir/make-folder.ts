import { mkdir } from 'node:fs/promises';

/** Makes the data directory if there is none. @throws Error with one sentence where it cannot be made */
export async function makeFolder(dataDir: string): Promise<void> {
  await mkdir(dataDir, { recursive: true }).catch((cause: NodeJS.ErrnoException) => {
    const why =
      cause.code === 'EEXIST' || cause.code === 'ENOTDIR'
        ? 'a file stands in its place'
        : (cause.code ?? cause.message);
    throw new Error(`${dataDir} cannot be made (${why}); set ASSAY_DATA_DIR to another folder`, {
      cause,
    });
  });
}
