import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../packages/embedded/src/data-dir/free-port.ts';

const ASSAY = fileURLToPath(new URL('../packages/embedded/bin/assay.mjs', import.meta.url));

/** Recomputes results from the raw file with SciPy and statsmodels, for which `npm test` makes a Python. */
const CHECK = fileURLToPath(new URL('../spec/statistics/check/check.py', import.meta.url));
const python = process.env.TEST_PYTHON;

/** A launcher as `npm start` runs it, and everything that it has said. */
interface Launcher {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly url: string;
}

let dataDir = '';
let launcher: Launcher;

async function start(port: number): Promise<Launcher> {
  const child = spawn(process.execPath, [ASSAY, 'start'], {
    env: { PATH: process.env.PATH, ASSAY_DATA_DIR: dataDir, PORT: String(port) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk) => {
      output += chunk;
    });
  }
  for (let waited = 0; !/^Assay is ready/m.test(output); waited += 100) {
    if (waited > 90_000 || child.exitCode !== null) throw new Error(`not ready: ${output}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const url = /Assay is ready at (\S+)/.exec(output)?.[1] ?? '';
  return { child, output: () => output, url };
}

/** Ends a launcher, also one that has ended already, and answers how long that took. */
async function stop(
  { child }: Launcher,
  signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM',
): Promise<number> {
  const startedAt = performance.now();
  if (child.exitCode === null && child.signalCode === null) {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await ended;
  }
  return performance.now() - startedAt;
}

const run = (...args: string[]) =>
  spawnSync(process.execPath, [ASSAY, ...args], {
    env: { PATH: process.env.PATH, ASSAY_DATA_DIR: dataDir, PORT: '0' },
    encoding: 'utf8',
    timeout: 60_000,
  });

async function get<T>(path: string): Promise<T> {
  const token = (await readFile(join(dataDir, 'admin-token'), 'utf8')).trim();
  const response = await fetch(launcher.url + path, {
    headers: { authorization: `Bearer ${token}` },
  });
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return (await response.json()) as T;
}

interface StarResults {
  readonly summary: {
    readonly winning_variant: string;
    readonly health: { readonly srm: { readonly status: string } };
  };
  readonly metadata: { readonly source: string };
  readonly variants: readonly {
    readonly metrics: {
      readonly avg_value: {
        readonly value: number;
        readonly standard_error: number;
        readonly sample_size: number;
        readonly vs_control: {
          readonly difference: number;
          readonly standard_error: number;
        } | null;
      };
    };
  }[];
}

beforeAll(async () => {
  // Mode 0700, as mkdtemp makes it: PostgreSQL's own account could not enter it.
  dataDir = join(await mkdtemp(join(tmpdir(), 'assay-launcher-')), 'data');
  launcher = await start(await freePort());
});

afterAll(async () => {
  await stop(launcher);
  await rm(dirname(dataDir), { recursive: true, force: true });
});

describe('the launcher', () => {
  it('has loaded the demo, and both sources give the published answer', async () => {
    expect(launcher.output()).toContain('Demo loaded: 6325 exposures and 5786 events');
    for (const source of ['postgresql', 'clickhouse']) {
      // CDC is at most seconds behind.
      const ask = () =>
        get<StarResults>(
          `/v1/experiments/star-kindergarten/results?source=${source}&event_type=test_score`,
        );
      await expect
        .poll(
          async () =>
            (await ask()).variants.reduce((n, { metrics }) => n + metrics.avg_value.sample_size, 0),
          {
            timeout: 20_000,
          },
        )
        .toBe(5_786);
      const { variants, summary, metadata } = await ask();
      expect(metadata.source).toBe(source);
      const [regular, small, aide] = variants.map(({ metrics }) => metrics.avg_value);
      expect(regular?.value).toBeCloseTo(918.04, 2);
      expect(regular?.standard_error).toBeCloseTo(1.63, 1);
      expect(small?.vs_control?.difference).toBeCloseTo(13.9, 2);
      expect(Math.abs((small?.vs_control?.standard_error ?? 0) - 2.45)).toBeLessThan(0.05);
      expect(aide?.vs_control?.difference).toBeCloseTo(0.31, 2);
      expect(Math.abs((aide?.vs_control?.standard_error ?? 0) - 2.27)).toBeLessThan(0.05);
      expect(summary).toMatchObject({
        winning_variant: 'small',
        health: { srm: { status: 'ok' } },
      });
    }
  });

  it.skipIf(python === undefined)('gives the numbers that others compute from the raw file', () => {
    const token = join(dataDir, 'admin-token');
    const { status, stdout, stderr } = spawnSync(
      python ?? '',
      [CHECK, '--url', launcher.url, '--token-file', token],
      { encoding: 'utf8', timeout: 120_000, maxBuffer: 16 * 1024 * 1024 },
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(Object.keys(JSON.parse(stdout)).length).toBeGreaterThan(1_000);
  });

  it('answers assay’s verbs', () => {
    expect(run('demo')).toMatchObject({ status: 0, stdout: 'The demo is loaded already.\n' });
    expect(run('migrate').stdout).toBe('nothing to migrate\n');
    expect(run('token', 'create', '--role', 'viewer', '--name', 'me').stdout).toMatch(
      /^assay_viewer_/,
    );
    expect(run('token', 'create', '--role', 'boss', '--name', 'me')).toMatchObject({ status: 1 });
    const doctor = run('doctor');
    expect(doctor).toMatchObject({ status: 0 });
    expect(doctor.stdout).toContain('wal_level=logical');
    for (const verb of [
      'start',
      'migrate',
      'demo',
      'token create',
      'doctor',
      'reconcile',
      'backfill',
    ]) {
      expect(run(...verb.split(' '), '--help').stdout).toContain(`Usage: assay ${verb}`);
    }
    expect(run('nope')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('not a command'),
    });
    expect(run('demo', '--fast')).toMatchObject({ status: 2 });
  });

  it('refuses a second start on its data directory, in one sentence', () => {
    const second = run('start');
    expect(second.status).toBe(1);
    expect(second.stderr.trim().split('\n')).toHaveLength(1);
    expect(second.stderr).toContain('is in use by another Assay');
  });

  it('keeps its secrets to itself and listens on loopback only', async () => {
    for (const name of [
      'admin-token',
      'postgres-password',
      'postgres-superuser-password',
      'clickhouse-password',
      'runtime.json',
    ]) {
      expect([name, (await stat(join(dataDir, name))).mode & 0o077]).toEqual([name, 0]);
    }
    const tables = process.platform === 'linux' ? ['/proc/net/tcp', '/proc/net/tcp6'] : [];
    const sockets = (await Promise.all(tables.map((table) => readFile(table, 'utf8'))))
      .flatMap((table) => table.split('\n'))
      .map((line) => line.trim().split(/\s+/));
    const { databaseUrl, clickhouseUrl, url } = JSON.parse(
      await readFile(join(dataDir, 'runtime.json'), 'utf8'),
    );
    for (const service of [databaseUrl, clickhouseUrl, url]) {
      const port = Number(new URL(service).port).toString(16).toUpperCase().padStart(4, '0');
      const listening = sockets
        .filter(([, local, , state]) => state === '0A' && local?.endsWith(`:${port}`))
        .map(([, local]) => local);
      if (tables.length > 0) expect(new Set(listening)).toEqual(new Set([`0100007F:${port}`]));
    }
  });

  it('starts again what was killed, at the same address, with its data', async () => {
    const pids = execFileSync('ps', ['-eo', 'pid,ppid,args'], { encoding: 'utf8' })
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter(([, parent]) => parent === String(launcher.child.pid))
      .map(([pid]) => Number(pid));
    expect(pids).toHaveLength(3);
    for (const pid of pids) {
      process.kill(pid, 'SIGKILL');
      const isWell = async (): Promise<string> => {
        const answer = await fetch(`${launcher.url}/ready`).then(
          (response) => response.json() as Promise<{ status: string }>,
          () => ({ status: 'away' }),
        );
        return answer.status;
      };
      await expect.poll(isWell, { timeout: 30_000, interval: 100 }).not.toBe('ok');
      await expect.poll(isWell, { timeout: 30_000, interval: 100 }).toBe('ok');
      const { variants } = await get<StarResults>('/v1/experiments/star-kindergarten/results');
      expect(variants).toHaveLength(3);
    }
  });

  it('stops everything within ten seconds, and starts where it was', async () => {
    const port = Number(new URL(launcher.url).port);
    const { pid } = launcher.child;
    expect(await stop(launcher)).toBeLessThan(10_000);
    expect(launcher.child.exitCode).toBe(0);
    const left = execFileSync('ps', ['-eo', 'ppid,args'], { encoding: 'utf8' })
      .split('\n')
      .filter((line) => line.includes(dataDir) || line.trim().startsWith(`${pid} `));
    expect(left).toEqual([]);
    launcher = await start(port);
    expect(launcher.output()).not.toContain('Demo loaded');
    const { summary } = await get<StarResults>(
      '/v1/experiments/star-kindergarten/results?source=clickhouse',
    );
    expect(summary.winning_variant).toBe('small');
  });

  it('takes over after it was killed itself', async () => {
    const port = Number(new URL(launcher.url).port);
    await stop(launcher, 'SIGKILL');
    launcher = await start(port);
    expect((await get<{ items: unknown[] }>('/v1/experiments')).items).toHaveLength(1);
  });
});
