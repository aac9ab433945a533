import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { isAlive } from '../data-dir/process-identity.ts';
import { type RunningPostgres, startPostgres } from './server.ts';

// Mode 0700, as mkdtemp makes it: PostgreSQL's own account could not enter it.
let folder = '';
let dataDir = '';
let postgres: RunningPostgres | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-postgres-'));
  dataDir = join(folder, 'postgres');
});
afterEach(async () => {
  await postgres?.stop();
  postgres = undefined;
  await rm(folder, { recursive: true, force: true });
});

async function ask<Row extends pg.QueryResultRow>(url: string, sql: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query<Row>(sql)).rows;
  } finally {
    await client.end();
  }
}

async function hold(): Promise<{ readonly launcher: ChildProcess; readonly pid: number }> {
  const script = fileURLToPath(new URL('../../test/hold-postgres.ts', import.meta.url));
  const launcher = spawn(process.execPath, ['--import', 'tsx', script, dataDir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(launcher.stdout, 'data')) as [Buffer];
  return { launcher, pid: (JSON.parse(line.toString()) as { pid: number }).pid };
}

const settings = (...names: string[]): string =>
  `SELECT ${names.map((name) => `current_setting('${name}') AS "${name}"`).join(', ')}`;

it('is what the application needs, and comes back with its data when it is killed', async () => {
  postgres = await startPostgres({ dataDir, settings: { max_connections: '42' } });
  const { url, adminUrl } = postgres;
  expect(
    await ask(
      url,
      settings(
        'wal_level',
        'fsync',
        'max_connections',
        'listen_addresses',
        'max_slot_wal_keep_size',
      ),
    ),
  ).toEqual([
    {
      wal_level: 'logical',
      fsync: 'on',
      max_connections: '42',
      listen_addresses: '127.0.0.1',
      max_slot_wal_keep_size: '4GB',
    },
  ]);
  expect(
    await ask(
      url,
      `SELECT r.rolsuper, r.rolreplication, d.datdba = r.oid AS owns, d.datlocprovider AS provider,
              pg_encoding_to_char(d.encoding) AS encoding
       FROM pg_roles r, pg_database d WHERE r.rolname = current_user AND d.datname = 'assay'`,
    ),
  ).toEqual([
    { rolsuper: false, rolreplication: true, owns: true, provider: 'b', encoding: 'UTF8' },
  ]);
  expect(await ask(adminUrl, 'SELECT rolsuper FROM pg_roles WHERE rolname = current_user')).toEqual(
    [{ rolsuper: true }],
  );
  await expect(ask(url.replace(/:[^:@]+@/, ':guess@'), 'SELECT 1')).rejects.toThrow('password');

  await ask(url, 'CREATE TABLE kept AS SELECT 7 AS n');
  const pid = postgres.pid();
  postgres.kill();
  await expect.poll(() => postgres?.pid(), { timeout: 20_000 }).not.toBe(pid);
  const read = () => ask(url, 'SELECT n FROM kept').catch((error: Error) => error.message);
  await expect.poll(read, { timeout: 20_000 }).toEqual([{ n: 7 }]);

  await postgres.stop();
  postgres = await startPostgres({ dataDir });
  expect(await ask(postgres.url, 'SELECT n FROM kept')).toEqual([{ n: 7 }]);
});

it('stops by itself when what started it is killed', async () => {
  const { launcher, pid } = await hold();
  launcher.kill('SIGKILL');
  await expect.poll(() => isAlive(pid), { timeout: 15_000 }).toBe(false);
  postgres = await startPostgres({ dataDir });
});

it('stops what a killed launcher has left behind, and minds no stale pid file', async () => {
  const { launcher, pid } = await hold();
  launcher.kill('SIGKILL');
  // At once: the server may be running still, or be about to stop.
  postgres = await startPostgres({ dataDir });
  expect(isAlive(pid)).toBe(false);
  const pidFile = await readFile(join(dataDir, 'postmaster.pid'), 'utf8');
  await postgres.stop();
  // A number that some other process has now.
  await writeFile(join(dataDir, 'postmaster.pid'), pidFile.replace(/^\d+/, String(process.pid)));
  postgres = await startPostgres({ dataDir });
  expect(await ask(postgres.url, 'SELECT 1 AS n')).toEqual([{ n: 1 }]);
});

it('refuses the data of another major version in one sentence', async () => {
  postgres = await startPostgres({ dataDir });
  await postgres.stop();
  await writeFile(join(dataDir, 'PG_VERSION'), '17\n');
  const starting = startPostgres({ dataDir });
  await expect(starting).rejects.toThrow(/was made by PostgreSQL 17, and this is PostgreSQL 18/);
  postgres = undefined;
});

it('leaves alone what it cannot read', async () => {
  // Read as a file, a folder is an error, as a broken disk would be.
  await mkdir(join(dataDir, 'PG_VERSION'), { recursive: true });
  await writeFile(join(dataDir, 'precious'), '');
  await expect(startPostgres({ dataDir })).rejects.toThrow('EISDIR');
  expect(await readdir(dataDir)).toEqual(['PG_VERSION', 'precious']);
});

it('gives up at once when it is told that nobody waits any more', async () => {
  const abort = new AbortController();
  const starting = startPostgres({ dataDir }, abort.signal);
  setTimeout(() => abort.abort(new Error('enough')), 50);
  await expect(starting).rejects.toThrow('enough');
});
