import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freePort } from '../data-dir/free-port.ts';

// What ships is what is tested: the command as it is built.
const ASSAY = fileURLToPath(new URL('../../bin/assay.mjs', import.meta.url));

let folder = '';
let dataDir = '';
let child: ChildProcess | undefined;
let output = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-launch-'));
  dataDir = join(folder, 'data');
});

afterEach(async () => {
  if (child !== undefined && child.exitCode === null && child.signalCode === null) {
    const ended = new Promise((resolve) => child?.once('exit', resolve));
    child.kill('SIGTERM');
    await ended;
  }
  await expect.poll(left, { timeout: 15_000 }).toEqual([]);
  await rm(folder, { recursive: true, force: true });
});

/** Processes of this test's data directory, whoever started them. */
function left(): readonly string[] {
  const lines = execFileSync('ps', ['-eo', 'pid,args'], { encoding: 'utf8' }).split('\n');
  return lines.filter((line) => line.includes(dataDir));
}

const environment = (env: Record<string, string>) => ({
  PATH: process.env.PATH,
  ASSAY_DATA_DIR: dataDir,
  ASSAY_DEMO: 'off',
  PORT: '0',
  ...env,
});

function begin(env: Record<string, string> = {}): ChildProcess {
  output = '';
  child = spawn(process.execPath, [ASSAY, 'start'], {
    env: environment(env),
    stdio: ['ignore', 'pipe', 'pipe'],
    // A process group of its own, as a shell makes one for each command.
    detached: true,
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk) => {
      output += chunk;
    });
  }
  return child;
}

async function untilSaid(pattern: RegExp): Promise<RegExpExecArray> {
  await expect.poll(() => output, { timeout: 90_000, interval: 50 }).toMatch(pattern);
  const match = pattern.exec(output);
  if (match === null) throw new Error('unreachable');
  return match;
}

async function endOf(process: ChildProcess): Promise<{ code: number | null; ms: number }> {
  const startedAt = performance.now();
  await new Promise((resolve) => process.once('exit', resolve));
  return { code: process.exitCode, ms: performance.now() - startedAt };
}

const refusal = (env: Record<string, string> = {}) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [ASSAY, 'start'], {
    env: environment(env),
    encoding: 'utf8',
    timeout: 60_000,
  });
  return { status, stdout, stderr };
};

describe('a start', () => {
  it('that is interrupted by Ctrl-C stops what it has begun', async () => {
    const launcher = begin();
    await expect.poll(left, { timeout: 30_000, interval: 20 }).not.toEqual([]);
    process.kill(-(launcher.pid ?? 0), 'SIGINT');
    const { code, ms } = await endOf(launcher);
    expect([code, output]).toEqual([0, 'Stopping …\n']);
    expect(ms).toBeLessThan(10_000);
  });

  it('keeps a log, and Ctrl-C stops it quietly', async () => {
    const launcher = begin();
    const [, url = ''] = await untilSaid(/^Assay is ready at (\S+)$/m);
    process.kill(-(launcher.pid ?? 0), 'SIGINT');
    // `npm` passes it on as well.
    launcher.kill('SIGINT');
    const { code, ms } = await endOf(launcher);
    expect(code).toBe(0);
    expect(ms).toBeLessThan(10_000);
    expect(output.split('Stopping …\n')[1]).toBe('');
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    for (const log of ['server', 'postgres']) {
      expect(await readFile(join(dataDir, 'logs', `${log}.log`), 'utf8')).not.toBe('');
    }
  });

  it('that is killed takes everything with it', async () => {
    const launcher = begin();
    const [, url = ''] = await untilSaid(/^Assay is ready at (\S+)$/m);
    launcher.kill('SIGKILL');
    await endOf(launcher);
    await expect.poll(left, { timeout: 15_000 }).toEqual([]);
    await expect
      .poll(
        () =>
          fetch(`${url}/health`).then(
            () => 'there',
            () => 'gone',
          ),
        { timeout: 15_000 },
      )
      .toBe('gone');
    // What it has written down of itself is not believed.
    const { status, stderr } = spawnSync(process.execPath, [ASSAY, 'migrate'], {
      env: environment({}),
      encoding: 'utf8',
    });
    expect([status, stderr]).toEqual([1, expect.stringContaining('nothing runs on')]);
  });

  it('without ClickHouse, with a token of its own and in a directory of mode 0700', async () => {
    const token = 'assay_admin_given_0123456789abcdefghijklmnopq';
    begin({ CLICKHOUSE_URL: 'none', ASSAY_ADMIN_TOKEN: token, ASSAY_DEMO: 'on' });
    const [, url = ''] = await untilSaid(/^Assay is ready at (\S+)$/m);
    expect(output).toContain('Demo loaded');
    expect(output).toContain('as given in ASSAY_ADMIN_TOKEN');
    const listed = await fetch(`${url}/v1/experiments`, {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(listed.status).toBe(200);
    const grep = spawnSync('grep', ['-rlF', token, dataDir, '--exclude-dir=postgres'], {
      encoding: 'utf8',
    });
    expect(grep.stdout).toBe('');
  });
});

describe('one sentence and exit code 1', () => {
  it('for a port in use, before anything is started', async () => {
    const port = await freePort();
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    const { status, stderr } = refusal({ PORT: String(port) });
    server.close();
    expect(status).toBe(1);
    expect(stderr).toBe(
      `assay start: Port ${port} on 127.0.0.1 is in use; stop what uses it, or set PORT\n`,
    );
  });

  it('for a data directory of another version, or of somebody else', async () => {
    const versioned = await mkdtemp(join(folder, 'v-'));
    await writeFile(join(versioned, 'assay.json'), '{"format":7}');
    const other = refusal({ ASSAY_DATA_DIR: versioned });
    expect(other.status).toBe(1);
    expect(other.stderr).toMatch(/^assay start: .* was made by another version of Assay [^\n]*\n$/);
    const foreign = await mkdtemp(join(folder, 'f-'));
    await writeFile(join(foreign, 'diary.txt'), 'x');
    expect(refusal({ ASSAY_DATA_DIR: foreign }).stderr).toMatch(
      /not Assay's \(diary\.txt\)[^\n]*\n$/,
    );
  });

  it.each([
    ['ASSAY_DATADIR', 'x', 'ASSAY_DATADIR is not a setting'],
    ['LOG_LEVEL', 'loud', 'LOG_LEVEL is "loud"'],
    ['ASSAY_DEMO', 'perhaps', 'ASSAY_DEMO is "perhaps"'],
    ['DATABASE_URL', 'postgres://nobody:x@127.0.0.1:1/none', 'ECONNREFUSED'],
  ])('for %s=%s', (name, value, words) => {
    const { status, stderr } = refusal({ [name]: value, CLICKHOUSE_URL: 'none' });
    expect(status).toBe(1);
    expect(stderr).toContain(words);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });
});
