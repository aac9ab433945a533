import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDataDir } from './data-dir.ts';
import { freePort } from './free-port.ts';
import { lockDataDir, lockOwner } from './lock.ts';
import { identityOf } from './process-identity.ts';
import { ensureSecret, writePrivately } from './secrets.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-data-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function expectTakenOver(): Promise<void> {
  const unlock = await lockDataDir(folder);
  expect(await lockOwner(folder)).toMatchObject({ pid: process.pid });
  await unlock();
}

describe('the lock', () => {
  it('is for one process at a time', async () => {
    const unlock = await lockDataDir(folder);
    await expect(lockDataDir(folder)).rejects.toThrow(
      `is in use by another Assay (process ${process.pid})`,
    );
    expect(await lockOwner(folder)).toMatchObject({ pid: process.pid });
    await unlock();
    expect(await readdir(folder)).toEqual([]);
  });

  it('of a dead process is taken over', async () => {
    const child = spawn(process.execPath, ['-e', ''], { stdio: 'ignore' });
    const identity = await identityOf(child.pid ?? 0);
    await new Promise((resolve) => child.once('exit', resolve));
    await writeFile(join(folder, 'lock'), JSON.stringify(identity));
    await expectTakenOver();
  });

  it('of a dead process is taken over though another one has its number now', async () => {
    await writeFile(join(folder, 'lock'), JSON.stringify({ pid: process.pid, startedAt: '1' }));
    await expectTakenOver();
  });

  it.each(['', '{', '{"pid":"x"}'])('that says %j is taken over', async (content) => {
    await writeFile(join(folder, 'lock'), content);
    await expectTakenOver();
  });

  it('goes to one of many who find a stale one', async () => {
    for (let round = 0; round < 20; round++) {
      await writeFile(join(folder, 'lock'), JSON.stringify({ pid: process.pid, startedAt: '1' }));
      const outcomes = await Promise.allSettled(
        Array.from({ length: 8 }, () => lockDataDir(folder)),
      );
      const locks = outcomes.flatMap((outcome) =>
        outcome.status === 'fulfilled' ? [outcome.value] : [],
      );
      expect(locks).toHaveLength(1);
      await locks[0]?.();
    }
    expect(await readdir(folder)).toEqual([]);
  });
});

describe('the data directory', () => {
  it('is new once, and for nobody else to look into', async () => {
    const path = join(folder, 'deep', 'data');
    expect(await openDataDir(path)).toEqual({ isNew: true });
    expect(await openDataDir(path)).toEqual({ isNew: false });
    expect((await stat(path)).mode & 0o066).toBe(0);
  });

  it('of another version is refused in one sentence', async () => {
    await writeFile(join(folder, 'assay.json'), '{"format":99}');
    await expect(openDataDir(folder)).rejects.toThrow(/made by another version .*99/);
    await writeFile(join(folder, 'assay.json'), 'x');
    await expect(openDataDir(folder)).rejects.toThrow('is damaged');
  });

  it('of the time before there was a marker is taken', async () => {
    await mkdir(join(folder, 'postgres'));
    await writeFile(join(folder, 'postgres', 'PG_VERSION'), '18\n');
    expect(await openDataDir(folder)).toEqual({ isNew: false });
  });

  it('cannot be where a file is', async () => {
    await writeFile(join(folder, 'taken'), '');
    await expect(openDataDir(join(folder, 'taken'))).rejects.toThrow('a file stands in its place');
  });

  it('must not hold what is not Assay’s', async () => {
    await writeFile(join(folder, 'thesis.doc'), '');
    await expect(openDataDir(folder)).rejects.toThrow("not Assay's (thesis.doc)");
  });
});

describe('secrets', () => {
  it('are made once, and only their owner can read them', async () => {
    const secret = await ensureSecret(folder, 'password');
    expect(secret).toMatch(/^[\w-]{32}$/);
    expect(await ensureSecret(folder, 'password')).toBe(secret);
    expect((await stat(join(folder, 'password'))).mode & 0o777).toBe(0o600);
    expect(await readdir(folder)).toEqual(['password']);
  });

  it('replace what others could read', async () => {
    await writeFile(join(folder, 'password'), 'old', { mode: 0o644 });
    await writePrivately(join(folder, 'password'), 'new');
    expect((await stat(join(folder, 'password'))).mode & 0o777).toBe(0o600);
    expect(await readFile(join(folder, 'password'), 'utf8')).toBe('new');
  });
});

describe('freePort', () => {
  it('is below the ports of outgoing connections, and free', async () => {
    const port = await freePort();
    expect(port).toBeLessThan(32_768);
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', resolve);
    });
    await new Promise((resolve) => server.close(resolve));
  });

  it('is not one that is kept for something else', async () => {
    const kept = await freePort();
    for (let i = 0; i < 20; i++) expect(await freePort(kept, kept, kept + 2)).not.toBe(kept);
  });
});
