import { access, constants } from 'node:fs/promises';
import { readConfig } from '@assay/server/config';
import pg from 'pg';
import { hasClickHouse } from '../clickhouse/server.ts';
import { inheritedEnvironment } from '../environment.ts';
import { readLauncherOptions } from '../launcher/options.ts';
import { readRuntime } from '../launcher/runtime.ts';
import { findBinaries } from '../postgres/cluster.ts';

const TIMEOUT_MS = 3_000;

/** One check: answers what it found, throws what is wrong. */
interface Check {
  readonly name: string;
  readonly run: () => Promise<string>;
}

/** Checks every connection and setting; exit code 1 when anything is wrong. */
export async function doctor(): Promise<number> {
  let problems = 0;
  for (const { name, run } of await checks()) {
    try {
      process.stdout.write(`ok       ${name}: ${await run()}\n`);
    } catch (error) {
      problems++;
      process.stdout.write(`problem  ${name}: ${(error as Error).message}\n`);
    }
  }
  process.stdout.write(problems === 0 ? 'Everything is well.\n' : `${problems} to be mended.\n`);
  return problems === 0 ? 0 : 1;
}

async function checks(): Promise<readonly Check[]> {
  const env = inheritedEnvironment();
  const { dataDir } = readLauncherOptions();
  const runtime = await readRuntime(dataDir);
  const databaseUrl = env.DATABASE_URL ?? runtime?.databaseUrl;
  const clickhouseUrl = env.CLICKHOUSE_URL ?? runtime?.clickhouseUrl;
  const always: Check[] = [
    { name: 'Node', run: async () => checkNode(process.versions.node) },
    {
      name: 'settings',
      run: async () => {
        readConfig({ DATABASE_URL: 'postgres://localhost', ...env });
        return 'all understood';
      },
    },
    {
      name: 'data directory',
      run: async () => {
        if (runtime === undefined) return `${dataDir} (nothing runs on it now)`;
        await access(dataDir, constants.R_OK | constants.W_OK);
        return `${dataDir}, in use`;
      },
    },
    {
      name: 'embedded services',
      run: async () => {
        await findBinaries();
        return (await hasClickHouse()) ? 'PostgreSQL and ClickHouse' : 'PostgreSQL alone';
      },
    },
  ];
  return [
    ...always,
    ...(databaseUrl ? [{ name: 'PostgreSQL', run: () => checkPostgres(databaseUrl) }] : []),
    ...(clickhouseUrl && clickhouseUrl !== 'none'
      ? [{ name: 'ClickHouse', run: () => checkClickHouse(clickhouseUrl) }]
      : []),
    ...(runtime === undefined ? [] : [{ name: 'server', run: () => checkServer(runtime.url) }]),
  ];
}

function checkNode(version: string): string {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19))
    throw new Error(`${version}, and 20.19 is needed`);
  return version;
}

async function checkPostgres(url: string): Promise<string> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: TIMEOUT_MS,
    query_timeout: TIMEOUT_MS,
  });
  await client.connect();
  try {
    const { rows } = await client.query<{ version: string; wal: string; number: number }>(
      `SELECT current_setting('server_version') AS version, current_setting('wal_level') AS wal,
              current_setting('server_version_num')::int AS number`,
    );
    const [row] = rows;
    if (row === undefined) throw new Error('no answer');
    if (row.number < 150_000) throw new Error(`version ${row.version}, and 15 is needed`);
    if (row.wal !== 'logical') throw new Error(`wal_level is ${row.wal}, and must be logical`);
    return `${row.version}, wal_level=logical`;
  } finally {
    await client.end();
  }
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
