import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockDataDir } from './lock.ts';
import { ensureSecret } from './secrets.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-lock-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('the lock of a data directory', () => {
  it('is one process’s at a time, and free once given back', async () => {
    const unlock = await lockDataDir(folder);
    await expect(lockDataDir(folder)).rejects.toThrow(
      `${folder} is in use by another Assay (process ${process.pid})`,
    );
    await unlock();
    await (await lockDataDir(folder))();
  });

  it.each(['{"pid":999999999,"startedAt":"1"}', '', `{"pid":${process.pid},"startedAt":"1"}`])(
    'is taken over from a process that is gone: %j',
    async (content) => {
      await writeFile(join(folder, 'lock'), content);
      await (await lockDataDir(folder))();
    },
  );
});

describe('a secret', () => {
  it('is made once, and readable by its owner alone', async () => {
    const secret = await ensureSecret(folder, 'password');
    expect(secret).toMatch(/^[\w-]{32}$/);
    expect(await ensureSecret(folder, 'password')).toBe(secret);
    expect((await stat(join(folder, 'password'))).mode & 0o777).toBe(0o600);
    expect(await readdir(folder)).toEqual(['password']);
  });
});
