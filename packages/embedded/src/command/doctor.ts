import { execFile } from 'node:child_process';
import { access, constants, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { readConfig } from '@assay/server/config';
import pg from 'pg';
import { hasClickHouse } from '../clickhouse/server.ts';
import { inheritedEnvironment } from '../environment.ts';
import { readLauncherOptions } from '../launcher/options.ts';
import { readRuntime } from '../launcher/runtime.ts';
import { findBinaries } from '../postgres/cluster.ts';

const run = promisify(execFile);
const TIMEOUT_MS = 3_000;

/** One check: answers what it found, throws what is wrong. */
interface Check {
  readonly name: string;
  readonly run: () => Promise<string>;
}

/** Checks every connection and setting; exit code 1 when anything is wrong. */
export async function doctor(): Promise<number> {
  let problems = 0;
  for (const { name, run: check } of await checks()) {
    try {
      process.stdout.write(`ok       ${name}: ${await check()}\n`);
    } catch (error) {
      problems++;
      process.stdout.write(`problem  ${name}: ${(error as Error).message}\n`);
    }
  }
  process.stdout.write(problems === 0 ? 'Everything is well.\n' : `${problems} to be mended.\n`);
  return problems === 0 ? 0 : 1;
}

async function checks(): Promise<readonly Check[]> {
  const options = readLauncherOptions();
  const runtime = await readRuntime(options.dataDir);
  const databaseUrl = options.databaseUrl ?? runtime?.databaseUrl;
  const clickhouseUrl = options.clickhouseUrl ?? runtime?.clickhouseUrl;
  const isFed = clickhouseUrl !== undefined && clickhouseUrl !== 'none';
  const optional = (is: boolean, ...some: Check[]): Check[] => (is ? some : []);
  return [
    { name: 'Node', run: async () => checkNode(process.versions.node) },
    { name: 'settings', run: async () => checkSettings(options.databaseUrl !== undefined) },
    { name: 'data directory', run: () => checkDataDir(options.dataDir, runtime !== undefined) },
    ...optional(options.databaseUrl === undefined, {
      name: 'embedded PostgreSQL',
      run: checkPostgresProgram,
    }),
    ...optional(options.clickhouseUrl === undefined, {
      name: 'embedded ClickHouse',
      run: checkEngine,
    }),
    ...(databaseUrl === undefined
      ? []
      : [
          { name: 'PostgreSQL', run: () => checkPostgres(databaseUrl) },
          ...optional(isFed, { name: 'replication slot', run: () => checkSlot(databaseUrl) }),
        ]),
    ...optional(isFed, { name: 'ClickHouse', run: () => checkClickHouse(clickhouseUrl ?? '') }),
    ...(runtime === undefined ? [] : [{ name: 'server', run: () => checkServer(runtime.url) }]),
  ];
}

function checkSettings(hasDatabase: boolean): string {
  const standIn = hasDatabase ? {} : { DATABASE_URL: 'postgres://localhost' };
  readConfig({ ...inheritedEnvironment(), ...standIn });
  return 'all understood';
}

const PRIVATE = [
  'admin-token',
  'runtime.json',
  'postgres-password',
  'postgres-superuser-password',
  'clickhouse-password',
];

async function checkDataDir(dataDir: string, isInUse: boolean): Promise<string> {
  const folder = await stat(dataDir).catch(() => undefined);
  if (folder === undefined) return `${dataDir} will be made by the first start`;
  await access(dataDir, constants.R_OK | constants.W_OK);
  for (const name of PRIVATE) {
    const found = await stat(join(dataDir, name)).catch(() => undefined);
    if (found !== undefined && (found.mode & 0o077) !== 0) {
      throw new Error(`others may read ${join(dataDir, name)}; chmod 600 it`);
    }
  }
  return `${dataDir} (${isInUse ? 'in use' : 'nothing runs on it now'})`;
}

async function checkPostgresProgram(): Promise<string> {
  const { postgres } = await findBinaries();
  const { stdout } = await run(postgres, ['--version'], { timeout: TIMEOUT_MS });
  return stdout.trim();
}

/** In a process of its own, as at a start: loading a library may end the process that does it. */
async function checkEngine(): Promise<string> {
  if (!hasClickHouse())
    throw new Error('not for this platform: results come from PostgreSQL alone');
  const code = `await import(${JSON.stringify(import.meta.resolve('chdb'))}); process.exit(0)`;
  await run(process.execPath, ['--input-type=module', '-e', code], { timeout: 30_000 });
  return 'loads';
}

function checkNode(version: string): string {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19))
    throw new Error(`${version}, and 20.19 is needed`);
  return version;
}

/** The rows of one statement, on a connection of its own. */
async function ask<Row extends pg.QueryResultRow>(url: string, sql: string): Promise<Row[]> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: TIMEOUT_MS,
    query_timeout: TIMEOUT_MS,
  });
  await client.connect();
  try {
    return (await client.query<Row>(sql)).rows;
  } finally {
    await client.end();
  }
}

async function checkPostgres(url: string): Promise<string> {
  const [row] = await ask<{ version: string; wal: string; number: number }>(
    url,
    `SELECT current_setting('server_version') AS version, current_setting('wal_level') AS wal,
            current_setting('server_version_num')::int AS number`,
  );
  if (row === undefined) throw new Error('no answer');
  if (row.number < 150_000) throw new Error(`version ${row.version}, and 15 is needed`);
  if (row.wal !== 'logical') throw new Error(`wal_level is ${row.wal}, and must be logical`);
  return `${row.version}, wal_level=logical`;
}

async function checkSlot(url: string): Promise<string> {
  const rows = await ask<{ name: string; active: boolean; status: string }>(
    url,
    `SELECT slot_name AS name, active, wal_status AS status FROM pg_replication_slots
     WHERE slot_type = 'logical' AND database = current_database()`,
  );
  const lost = rows.find(({ status }) => status === 'lost');
  if (lost !== undefined) throw new Error(`${lost.name} is lost: ClickHouse must be filled anew`);
  if (rows.length === 0) return 'none yet; the worker makes it';
  return rows
    .map(({ name, active, status }) => `${name} ${active ? 'in use' : 'not in use'}, ${status}`)
    .join('; ');
}

async function checkClickHouse(url: string): Promise<string> {
  const { username, password, origin } = new URL(url);
  const response = await fetch(`${origin}/?query=${encodeURIComponent('SELECT version()')}`, {
    headers: { 'x-clickhouse-user': username, 'x-clickhouse-key': decodeURIComponent(password) },
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const text = (await response.text()).trim();
  if (!response.ok) throw new Error(text.slice(0, 200));
  if (Number.parseInt(text, 10) < 25) throw new Error(`version ${text}, and 25 is needed`);
  return text;
}

async function checkServer(url: string): Promise<string> {
  const response = await fetch(new URL('/ready', url), { signal: AbortSignal.timeout(TIMEOUT_MS) });
  const { status, parts } = (await response.json()) as {
    status: string;
    parts: Record<string, { status: string; detail?: string }>;
  };
  const ill = Object.entries(parts).filter(([, part]) => !['ok', 'off'].includes(part.status));
  if (ill.length > 0) {
    throw new Error(
      `${status}: ${ill.map(([name, part]) => `${name} ${part.detail ?? part.status}`).join('; ')}`,
    );
  }
  return `${url} is ${status}`;
}
