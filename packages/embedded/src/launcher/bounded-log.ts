import { closeSync, openSync, renameSync, statSync, writeSync } from 'node:fs';

/** A log file of bounded size: when it is full it is set aside, in the place of the one before. */
export interface BoundedLog {
  readonly write: (chunk: Buffer) => void;
  readonly close: () => void;
}

/** @param maxBytes of each of the two files that there are at most */
export function openLog(path: string, maxBytes: number): BoundedLog {
  let file = openSync(path, 'a', 0o600);
  let size = statSync(path).size;
  return {
    write(chunk) {
      try {
        if (size > 0 && size + chunk.length > maxBytes) {
          renameSync(path, `${path}.1`);
          const next = openSync(path, 'a', 0o600);
          closeSync(file);
          file = next;
          size = 0;
        }
        size += writeSync(file, chunk);
      } catch {
        // The disk is full, or the folder gone: that line is lost, which is better than to stop what it tells of.
      }
    },
    close: () => closeSync(file),
  };
}
