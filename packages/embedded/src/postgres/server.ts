import { spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import pg from 'pg';
import { freePort } from '../data-dir/free-port.ts';
import { ensureSecret } from '../data-dir/secrets.ts';
import { type Supervised, supervise } from '../supervisor/supervise.ts';
import { untilReady } from '../supervisor/until-ready.ts';
import type { Account } from './account.ts';
import { asAccount, command, ensureCluster, findBinaries, stopLeftover } from './cluster.ts';
import { stopWithThisProcess } from './watchdog.ts';

export interface PostgresOptions {
  /** Folder of the cluster; secrets are kept beside it. */
  readonly dataDir: string;
  /** A port that something else will listen on. */
  readonly keptPort?: number;
  /** Settings of postgresql.conf on top of the launcher's own. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly onTrouble?: (message: string) => void;
  /** Given what the server logs. */
  readonly onLog?: (chunk: Buffer) => void;
}

/** A PostgreSQL server on loopback. */
export interface RunningPostgres extends Supervised {
  /** For the application: owner of the database `assay`, with REPLICATION, not a superuser. */
  readonly url: string;
  /** For the superuser. */
  readonly adminUrl: string;
}

const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  wal_level: 'logical',
  max_connections: '100',
  max_wal_senders: '10',
  max_replication_slots: '10',
  // A sink that is away for long must not fill the disk: beyond this the slot is given up, and
  // ClickHouse is filled anew from the tables, which hold everything.
  max_slot_wal_keep_size: '4GB',
  max_wal_size: '2GB',
  shared_buffers: '128MB',
  logical_decoding_work_mem: '64MB',
  wal_compression: 'on',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_min_messages: 'warning',
};

const START_TIMEOUT_MS = 60_000;
const START_ATTEMPTS = 20;
const STOP_TIMEOUT_MS = 4_000;

/** Starts PostgreSQL on a data directory, made if there is none, and keeps it running. */
export async function startPostgres(
  options: PostgresOptions,
  signal?: AbortSignal,
): Promise<RunningPostgres> {
  const dataDir = resolve(options.dataDir);
  const folder = dirname(dataDir);
  await mkdir(folder, { recursive: true });
  const binaries = await findBinaries();
  const superuser = await ensureSecret(folder, 'postgres-superuser-password');
  const app = await ensureSecret(folder, 'postgres-password');
  await stopLeftover(dataDir);
  const account = await ensureCluster({ binaries, dataDir, password: superuser });
  for (let attempt = 1; ; attempt++) {
    const port = await freePort(options.keptPort);
    const adminUrl = `postgres://postgres:${superuser}@127.0.0.1:${port}/postgres`;
    const settings = { ...SETTINGS, ...options.settings, port: String(port) };
    const program = command(account, binaries.postgres, [
      '-D',
      dataDir,
      ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ]);
    try {
      const supervised = await superviseServer(program, account, adminUrl, options, signal);
      await ensureDatabase(adminUrl, app).catch(async (error: Error) => {
        await supervised.stop();
        throw error;
      });
      const url = `postgres://assay:${app}@127.0.0.1:${port}/assay`;
      return { ...supervised, url, adminUrl };
    } catch (error) {
      // Somebody took the port meanwhile, or processes of a killed server have not ended yet.
      const isPassing = /already in use|still in use/.test((error as Error).message);
      if (!isPassing || attempt === START_ATTEMPTS) throw error;
      await new Promise((done) => setTimeout(done, 250));
    }
  }
}

function superviseServer(
  program: ReturnType<typeof command>,
  account: Account,
  adminUrl: string,
  { onTrouble = () => {}, onLog = () => {} }: PostgresOptions,
  signal: AbortSignal | undefined,
): Promise<Supervised> {
  return supervise(
    {
      name: 'PostgreSQL',
      start: async (startSignal) => {
        const child = spawn(program.file, program.args, {
          ...asAccount(account),
          cwd: '/',
          stdio: ['ignore', 'ignore', 'pipe'],
          // A session of its own: Ctrl-C in the terminal is for the launcher, which stops the
          // server of the API before this one.
          detached: true,
        });
        stopWithThisProcess(child);
        // Read also where nobody keeps it: the pipe must not fill up.
        child.stderr.on('data', onLog);
        await untilReady(
          child,
          {
            isReady: () => answers(adminUrl),
            timeoutMs: START_TIMEOUT_MS,
            lastSignal: 'SIGQUIT',
            whenEnded: (words) => `PostgreSQL did not start: ${words || 'no message'}`,
            whenLate: `PostgreSQL did not answer within ${START_TIMEOUT_MS / 1000} s`,
          },
          startSignal,
        );
        return child;
      },
      // Fast shutdown: open transactions are rolled back.
      requestStop: (child) => {
        child.kill('SIGINT');
      },
      stopTimeoutMs: STOP_TIMEOUT_MS,
      // Immediate shutdown: its processes end with it, and the next start recovers from the log.
      lastSignal: 'SIGQUIT',
      onTrouble,
    },
    signal,
  );
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 1_000 });
  // What goes wrong rejects below; without a listener it would end this process as well.
  client.on('error', () => {});
  try {
    await client.connect();
    await client.end();
    return true;
  } catch {
    // Not listening yet, or still recovering.
    return false;
  }
}

async function ensureDatabase(adminUrl: string, password: string): Promise<void> {
  const admin = new pg.Client({
    connectionString: adminUrl,
    connectionTimeoutMillis: START_TIMEOUT_MS,
    // Making a database copies the template, which takes its time on a slow disk.
    query_timeout: START_TIMEOUT_MS,
  });
  await admin.connect();
  try {
    const { rowCount } = await admin.query("SELECT FROM pg_roles WHERE rolname = 'assay'");
    const literal = pg.escapeLiteral(password);
    await admin.query(
      `${rowCount === 0 ? 'CREATE' : 'ALTER'} ROLE assay LOGIN REPLICATION PASSWORD ${literal}`,
    );
    const found = await admin.query("SELECT FROM pg_database WHERE datname = 'assay'");
    if (found.rowCount === 0) await admin.query('CREATE DATABASE assay OWNER assay');
  } finally {
    await admin.end();
  }
}
