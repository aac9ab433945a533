import { type ChildProcess, execFileSync, fork } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SERVER_FLAGS, startClickHouse, startPostgres } from '@assay/embedded';
import type { Options, Result } from 'autocannon';
import autocannon from 'autocannon';

/** One line of a benchmark's table. */
export interface Row {
  readonly what: string;
  readonly figure: string;
  /** What the figure is held against, where there is such a thing. */
  readonly floor?: string;
  readonly isMet?: boolean;
}

export const TOKEN = 'assay_admin_bench_0123456789abcdefghijklmno';

/** The machine, since a figure says nothing without it. */
export function machine(): string {
  const model = cpus()[0]?.model.trim() ?? 'unknown processor';
  const memory = Math.round(totalmem() / 1024 ** 3);
  return `${availableParallelism()} cores (${model}), ${memory} GiB, Node ${process.versions.node}`;
}

/** The p-quantile (0…1) of numbers in any order. */
export function quantile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(p * sorted.length))] ?? Number.NaN;
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);
export const sleep = (ms: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, ms));
export const round = (value: number, digits = 0): string =>
  value.toLocaleString('en-US', { maximumFractionDigits: digits, minimumFractionDigits: digits });

/** Backing services of a benchmark's own, on an empty data directory. */
export interface Services {
  readonly databaseUrl: string;
  readonly adminUrl: string;
  readonly clickhouseUrl: string;
  readonly stop: () => Promise<void>;
}

export async function startServices(): Promise<Services> {
  const folder = await mkdtemp(join(tmpdir(), 'assay-bench-'));
  const [postgres, clickhouse] = await Promise.all([
    startPostgres({ dataDir: join(folder, 'postgres') }),
    startClickHouse({ dataDir: join(folder, 'clickhouse') }),
  ]);
  const services = {
    databaseUrl: postgres.url,
    adminUrl: postgres.adminUrl.replace(/\/postgres$/, '/assay'),
    clickhouseUrl: clickhouse.url,
    async stop() {
      await Promise.all([postgres.stop(), clickhouse.stop()]);
      await rm(folder, { recursive: true, force: true });
    },
  };
  execFileSync(process.execPath, [program('migrate')], { env: environment(services) });
  return services;
}

// What ships is what is measured: the programs as they are built.
const program = (name: string): string =>
  fileURLToPath(new URL(`../dist/bin/${name}.js`, import.meta.url));

const environment = (services: Services): NodeJS.ProcessEnv => ({
  PATH: process.env.PATH,
  DATABASE_URL: services.databaseUrl,
  CLICKHOUSE_URL: services.clickhouseUrl,
  ASSAY_ADMIN_TOKEN: TOKEN,
  LOG_LEVEL: 'error',
});

/** Starts a server process; resolves when it answers. */
export async function startServer(
  services: Services,
  roles: string,
  port: number,
): Promise<ChildProcess> {
  const child = fork(program('server'), [], {
    execArgv: SERVER_FLAGS,
    env: { ...environment(services), ASSAY_ROLES: roles, PORT: String(port) },
  });
  await untilAnswers(`http://127.0.0.1:${port}/ready`);
  return child;
}

/** A Fastify with nothing but a route of the same shape. */
export async function startBareServer(port: number): Promise<ChildProcess> {
  const child = fork(fileURLToPath(new URL('./bare-server.ts', import.meta.url)), [], {
    execArgv: ['--import', 'tsx', '--conditions=@assay/source'],
    env: { PATH: process.env.PATH, PORT: String(port) },
  });
  await untilAnswers(`http://127.0.0.1:${port}/health`);
  return child;
}

async function untilAnswers(url: string): Promise<void> {
  for (let waited = 0; waited < 30_000; waited += 50) {
    const isOk = await fetch(url).then(
      (response) => response.ok,
      () => false,
    );
    if (isOk) return;
    await sleep(50);
  }
  throw new Error(`${url} does not answer`);
}

/** Calls the API as admin. */
export async function call<T>(
  base: string,
  method: string,
  path: string,
  body?: unknown,
): Promise<T> {
  const response = await fetch(base + path, {
    method,
    headers: {
      authorization: `Bearer ${TOKEN}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}

/** Creates and starts an experiment with two equal variants. */
export async function startExperiment(base: string, key: string): Promise<number> {
  const { id } = await call<{ id: number }>(base, 'POST', '/v1/experiments', {
    key,
    name: key,
    variants: [
      { key: 'control', allocation_pct: 50, is_control: true },
      { key: 'green', allocation_pct: 50 },
    ],
  });
  await call(base, 'POST', `/v1/experiments/${key}/start`);
  return id;
}

/** Requests from a process's own event loop; failures end the benchmark. */
export async function load(options: Options): Promise<Result> {
  const result = await autocannon({
    connections: 64,
    ...options,
    headers: { authorization: `Bearer ${TOKEN}`, ...options.headers },
  });
  if (result.non2xx > 0 || result.errors > 0) {
    throw new Error(`${result.non2xx} answers were not 2xx, ${result.errors} failed`);
  }
  return result;
}
