import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openLog } from './bounded-log.ts';

describe('a bounded log', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'assay-log-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('is set aside when it is full, in the place of the one before', async () => {
    const path = join(folder, 'server.log');
    const log = openLog(path, 10);
    for (const line of ['first\n', 'second\n', 'third\n']) log.write(Buffer.from(line));
    log.close();
    expect(await readFile(path, 'utf8')).toBe('third\n');
    expect(await readFile(`${path}.1`, 'utf8')).toBe('second\n');
  });

  it('loses lines rather than stop what it tells of, when it cannot be set aside', async () => {
    const log = openLog(join(folder, 'server.log'), 10);
    log.write(Buffer.from('first\n'));
    await rm(folder, { recursive: true });
    expect(() => log.write(Buffer.from('second\n'))).not.toThrow();
    expect(() => log.close()).not.toThrow();
  });
});
