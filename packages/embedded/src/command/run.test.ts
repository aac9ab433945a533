import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { readLauncherOptions } from '../launcher/options.ts';
import { runCommand } from './run.ts';

let folder = '';
let out = '';
let err = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-command-'));
  vi.stubEnv('ASSAY_DATA_DIR', folder);
  out = '';
  err = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    out += text;
    return true;
  });
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    err += text;
    return true;
  });
});

afterEach(async () => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

describe('assay', () => {
  it.each([
    [['frobnicate']],
    [['toString']],
    [['token']],
    [['demo', '--fast']],
    [['start', 'now']],
    [['backfill', '--from']],
    [['token', 'create', '--role', 'viewer']],
    [['reconcile']],
    [['backfill', '--from', 'a', '--to', 'b']],
  ])('%j: one sentence, exit code 2', async (args) => {
    expect(await runCommand(args)).toBe(2);
    expect(out).toBe('');
    expect(err).toMatch(/^assay[^\n]+\n$/);
  });

  it.each(['migrate', 'demo', 'token create --role viewer --name x'])(
    '%s says that nothing runs',
    async (line) => {
      expect(await runCommand(line.split(' '))).toBe(1);
      expect(err).toMatch(/nothing runs on .*; start it with "npm start"[^\n]*\n$/);
    },
  );

  it('lists its verbs, and the settings of start', async () => {
    expect(await runCommand(['--help'])).toBe(0);
    for (const verb of [
      'start',
      'migrate',
      'demo',
      'token create',
      'doctor',
      'reconcile',
      'backfill',
    ]) {
      expect(out).toContain(`  assay ${verb}`);
    }
    out = '';
    expect(await runCommand(['start', '--help'])).toBe(0);
    for (const name of ['ASSAY_DATA_DIR', 'ASSAY_DEMO', 'DATABASE_URL', 'PORT']) {
      expect(out).toContain(name);
    }
  });
});

describe('the launcher’s settings', () => {
  it('have defaults', () => {
    expect(readLauncherOptions({})).toMatchObject({
      host: '127.0.0.1',
      port: 8000,
      loadsDemo: true,
      databaseUrl: undefined,
      adminToken: undefined,
      clickhouseReaders: 3,
    });
    expect(readLauncherOptions({ DATABASE_URL: '', ASSAY_DATA_DIR: '' })).toEqual(
      readLauncherOptions({}),
    );
  });

  it.each([
    ['PORT', '80a'],
    ['PORT', '65536'],
    ['ASSAY_DEMO', 'maybe'],
    ['ASSAY_CLICKHOUSE_READERS', '0'],
    ['ASSAY_CLICKHOUSE_MEMORY_MB', 'all'],
    ['DATABASE_URL_FILE', '/no/such/file'],
  ])('%s=%s is refused by name', (name, value) => {
    expect(() => readLauncherOptions({ [name]: value })).toThrow(name);
  });
});
