import { readFileSync } from 'node:fs';
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
  /** Undefined: the launcher makes one and keeps it in the data directory. */
  readonly adminToken: { readonly text: string } | { readonly file: string } | undefined;
  readonly clickhouseReaders: number;
  readonly clickhouseMemoryBytes: number | undefined;
}

const READERS = 'ASSAY_CLICKHOUSE_READERS';
const MEMORY = 'ASSAY_CLICKHOUSE_MEMORY_MB';
const MIB = 1024 * 1024;

/** Settings of the launcher alone: name, default, meaning. */
const SETTINGS: readonly (readonly [string, string, string])[] = [
  ['ASSAY_DATA_DIR', './.assay', 'folder of what the embedded services keep'],
  ['ASSAY_DEMO', 'on', 'off: no demo is loaded into a new data directory'],
  [READERS, '3', 'statements that the embedded ClickHouse reads at the same time'],
  [MEMORY, 'half of the machine’s, at most 4096', 'memory of the embedded ClickHouse in MiB'],
];

/** The launcher's settings as lines of a help text. */
export const describeLauncherSettings = (): string =>
  SETTINGS.map(([name, fallback, help]) => `  ${name}\n      ${help} (default ${fallback})`).join(
    '\n',
  );

/** @throws Error naming the setting and what is allowed */
export function readLauncherOptions(env = inheritedEnvironment()): LauncherOptions {
  const given = (name: string): string | undefined => env[name] || undefined;
  const whole = (name: string, fallback: string, min: number, max: number): number => {
    const text = given(name) ?? fallback;
    if (!/^\d{1,9}$/.test(text) || Number(text) < min || Number(text) > max) {
      throw new Error(`${name} is "${text}" but must be a whole number from ${min} to ${max}`);
    }
    return Number(text);
  };
  const demo = given('ASSAY_DEMO') ?? 'on';
  if (demo !== 'on' && demo !== 'off') {
    throw new Error(`ASSAY_DEMO is "${demo}" but must be on or off`);
  }
  const tokenFile = given('ASSAY_ADMIN_TOKEN_FILE');
  const token = given('ASSAY_ADMIN_TOKEN');
  return {
    dataDir: resolve(given('ASSAY_DATA_DIR') ?? '.assay'),
    host: given('HOST') ?? '127.0.0.1',
    port: whole('PORT', '8000', 0, 65_535),
    loadsDemo: demo === 'on',
    databaseUrl: given('DATABASE_URL') ?? readGiven('DATABASE_URL_FILE', given),
    clickhouseUrl: given('CLICKHOUSE_URL') ?? readGiven('CLICKHOUSE_URL_FILE', given),
    adminToken:
      tokenFile !== undefined
        ? { file: resolve(tokenFile) }
        : token === undefined
          ? undefined
          : { text: token },
    clickhouseReaders: whole(READERS, '3', 1, 64),
    clickhouseMemoryBytes:
      given(MEMORY) === undefined ? undefined : whole(MEMORY, '', 256, 1_048_576) * MIB,
  };
}

function readGiven(name: string, given: (name: string) => string | undefined): string | undefined {
  const file = given(name);
  if (file === undefined) return undefined;
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (cause) {
    throw new Error(`${name}: ${file} cannot be read`, { cause });
  }
}
