import { resolve } from 'node:path';
import { inheritedEnvironment } from '../environment.ts';

/** What the launcher reads of the environment; the rest is the server's. */
export interface LauncherOptions {
  readonly dataDir: string;
  readonly host: string;
  readonly port: number;
  readonly loadsDemo: boolean;
  /** Undefined: the launcher starts its own. */
  readonly databaseUrl: string | undefined;
  readonly clickhouseUrl: string | undefined;
  readonly hasOwnAdminToken: boolean;
}

/** @throws Error naming the setting and what is allowed */
export function readLauncherOptions(env = inheritedEnvironment()): LauncherOptions {
  const demo = env.ASSAY_DEMO ?? 'on';
  if (demo !== 'on' && demo !== 'off') {
    throw new Error(`ASSAY_DEMO is "${demo}" but must be on or off`);
  }
  const port = env.PORT ?? '8000';
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
    throw new Error(`PORT is "${port}" but must be a whole number from 0 to 65535`);
  }
  const given = (name: string): string | undefined =>
    env[name] !== undefined || env[`${name}_FILE`] !== undefined ? (env[name] ?? '') : undefined;
  return {
    dataDir: resolve(env.ASSAY_DATA_DIR ?? '.assay'),
    host: env.HOST ?? '127.0.0.1',
    port: Number(port),
    loadsDemo: demo === 'on',
    databaseUrl: given('DATABASE_URL'),
    clickhouseUrl: given('CLICKHOUSE_URL'),
    hasOwnAdminToken: given('ASSAY_ADMIN_TOKEN') !== undefined,
  };
}
