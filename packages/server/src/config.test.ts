import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ConfigError, describeSettings, readConfig } from './config.ts';

const DATABASE_URL = 'postgres://u:secret@localhost/assay';

describe('readConfig', () => {
  it('has the documented defaults', () => {
    expect(readConfig({ DATABASE_URL })).toEqual({
      host: '127.0.0.1',
      port: 8_000,
      adminToken: undefined,
      databaseUrl: DATABASE_URL,
      clickhouseUrl: undefined,
      cdcSource: 'pgoutput',
      retentionMonths: 13,
      roles: ['api', 'worker'],
      corsOrigins: ['*'],
      rateLimitPerMinute: 0,
      rateLimitAuthFailures: 60,
      logLevel: 'info',
    });
  });

  it.each([
    [{}, 'DATABASE_URL is not set'],
    [
      { DATABASE_URL: 'mysql://x' },
      'DATABASE_URL must be a URL beginning with postgres:// or postgresql://',
    ],
    [{ DATABASE_URL, PORT: '80a' }, 'PORT is "80a" but must be a whole number from 0 to 65535'],
    [
      { DATABASE_URL, ASSAY_ROLES: 'api,boss' },
      'ASSAY_ROLES is "api,boss" but must be one of api, worker',
    ],
    [{ DATABASE_URL, ASSAY_RETENTION_MONTHS: '0' }, 'must be a whole number from 1 to 120'],
    [
      { DATABASE_URL, CLICKHOUSE_URL: 'ftp://x' },
      'CLICKHOUSE_URL must be a URL beginning with http:// or https://',
    ],
    [{ DATABASE_URL, LOG_LEVEL: 'loud' }, 'LOG_LEVEL is "loud" but must be one of trace'],
    [
      { DATABASE_URL, ASSAY_ADMIN_TOKEN: 'short' },
      'ASSAY_ADMIN_TOKEN must have at least 32 characters',
    ],
    [
      { DATABASE_URL, ASSAY_RETENTION: '1' },
      'ASSAY_RETENTION is not a setting; known are ASSAY_DATA_DIR',
    ],
    [{ DATABASE_URL_FILE: '/does/not/exist' }, 'DATABASE_URL_FILE: /does/not/exist cannot be read'],
    [{ DATABASE_URL, DATABASE_URL_FILE: '/x' }, 'are both set; give one of them'],
  ])('refuses %j', (env, message) => {
    expect(() => readConfig(env)).toThrow(ConfigError);
    expect(() => readConfig(env)).toThrow(message);
  });

  it('never repeats a secret', () => {
    expect(() => readConfig({ DATABASE_URL: 'nonsense-with-password' })).not.toThrow(/nonsense/);
    expect(describeSettings()).toContain('ASSAY_RETENTION_MONTHS');
  });

  it('reads a secret from a file', () => {
    const folder = mkdtempSync(join(tmpdir(), 'assay-config-'));
    writeFileSync(join(folder, 'url'), `${DATABASE_URL}\n`);
    expect(readConfig({ DATABASE_URL_FILE: join(folder, 'url') }).databaseUrl).toBe(DATABASE_URL);
    rmSync(folder, { recursive: true });
  });
});
