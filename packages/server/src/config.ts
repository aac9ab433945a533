import { readFileSync } from 'node:fs';
import { ROLE_PARTS, type RolePart } from './role-part.ts';

/** One setting of the environment: its name, default, meaning, and how its text becomes a value. */
interface Setting<T> {
  readonly name: string;
  readonly fallback: string | undefined;
  readonly help: string;
  /** Has a `NAME_FILE` twin that reads the value from a file, and is never printed. */
  readonly secret?: boolean;
  /** Has no default and may be left out; any other without a default must be given. */
  readonly optional?: boolean;
  /** Text to value. Throws an Error whose message says what is allowed. */
  readonly parse: (text: string) => T;
}

const text = (value: string): string => value;

const integer =
  (min: number, max: number) =>
  (value: string): number => {
    const number = Number(value);
    if (!/^\d+$/.test(value) || number < min || number > max) {
      throw new Error(`must be a whole number from ${min} to ${max}`);
    }
    return number;
  };

const oneOf =
  <const T extends string>(...allowed: readonly T[]) =>
  (value: string): T => {
    const found = allowed.find((candidate) => candidate === value);
    if (found === undefined) throw new Error(`must be one of ${allowed.join(', ')}`);
    return found;
  };

const url =
  (...protocols: readonly string[]) =>
  (value: string): string => {
    const parsed = URL.canParse(value) ? new URL(value) : undefined;
    if (parsed === undefined || !protocols.includes(parsed.protocol)) {
      throw new Error(
        `must be a URL beginning with ${protocols.map((p) => `${p}//`).join(' or ')}`,
      );
    }
    return value;
  };

const roles = (value: string): readonly RolePart[] => {
  const parts = value.split(',').map((part) => oneOf(...ROLE_PARTS)(part.trim()));
  return [...new Set(parts)];
};

const list = (value: string): readonly string[] =>
  value
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');

const SETTINGS = {
  host: { name: 'HOST', fallback: '127.0.0.1', help: 'address the API listens on', parse: text },
  port: {
    name: 'PORT',
    fallback: '8000',
    help: 'port the API listens on',
    parse: integer(0, 65_535),
  },
  adminToken: {
    name: 'ASSAY_ADMIN_TOKEN',
    fallback: undefined,
    help: 'admin bearer token, ensured at start',
    secret: true,
    optional: true,
    parse: (value) => {
      if (value.length < 32) throw new Error('must have at least 32 characters');
      return value;
    },
  } satisfies Setting<string>,
  databaseUrl: {
    name: 'DATABASE_URL',
    fallback: undefined,
    help: 'PostgreSQL 15 or newer with wal_level=logical; assay start brings its own',
    secret: true,
    parse: url('postgres:', 'postgresql:'),
  } satisfies Setting<string>,
  clickhouseUrl: {
    name: 'CLICKHOUSE_URL',
    fallback: 'none',
    help: 'ClickHouse 25 or newer over HTTP(S), or none: results from PostgreSQL alone; assay start brings its own',
    secret: true,
    parse: (value) => (value === 'none' ? undefined : url('http:', 'https:')(value)),
  } satisfies Setting<string | undefined>,
  cdcSource: {
    name: 'CDC_SOURCE',
    fallback: 'pgoutput',
    help: 'how changes reach ClickHouse',
    parse: oneOf('pgoutput'),
  },
  retentionMonths: {
    name: 'ASSAY_RETENTION_MONTHS',
    fallback: '13',
    help: 'events are accepted from that far back to 24 h ahead, and kept that long',
    parse: integer(1, 120),
  },
  roles: {
    name: 'ASSAY_ROLES',
    fallback: 'api,worker',
    help: 'parts this process runs',
    parse: roles,
  },
  corsOrigins: {
    name: 'ASSAY_CORS_ORIGINS',
    fallback: '*',
    help: 'origins that may call the client endpoints from a browser',
    parse: list,
  },
  rateLimitPerMinute: {
    name: 'ASSAY_RATE_LIMIT_PER_MINUTE',
    fallback: '0',
    help: 'requests a token may make in a minute to one process; 0: no limit',
    parse: integer(0, 100_000_000),
  },
  rateLimitAuthFailures: {
    name: 'ASSAY_RATE_LIMIT_AUTH_FAILURES',
    fallback: '60',
    help: 'requests with a bad token that one address may make in a minute; 0: no limit',
    parse: integer(0, 1_000_000),
  },
  logLevel: {
    name: 'LOG_LEVEL',
    fallback: 'info',
    help: 'least severe level that is logged',
    parse: oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'),
  },
} as const satisfies Record<string, Setting<unknown>>;

type Settings = typeof SETTINGS;

/** Every setting of a server process, typed; what is optional and not given is undefined. */
export type Config = {
  readonly [K in keyof Settings]:
    | ReturnType<Settings[K]['parse']>
    | (Settings[K] extends { readonly optional: true } ? undefined : never);
};

/** Names that the launcher reads; the server accepts and ignores them. */
const LAUNCHER_NAMES = [
  'ASSAY_DATA_DIR',
  'ASSAY_DEMO',
  'ASSAY_CLICKHOUSE_READERS',
  'ASSAY_CLICKHOUSE_MEMORY_MB',
];

/** A setting that is missing, unknown or has a bad value; the message is for the operator. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

function readValue(setting: Setting<unknown>, env: NodeJS.ProcessEnv): string | undefined {
  const direct = env[setting.name];
  const file = setting.secret ? env[`${setting.name}_FILE`] : undefined;
  if (file === undefined) return direct === '' ? setting.fallback : (direct ?? setting.fallback);
  if (direct !== undefined) {
    throw new ConfigError(
      `${setting.name} and ${setting.name}_FILE are both set; give one of them`,
    );
  }
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (cause) {
    throw new ConfigError(`${setting.name}_FILE: ${file} cannot be read`, { cause });
  }
}

/**
 * The environment as one typed object.
 *
 * @param env names and texts, `process.env` unless a test says otherwise
 * @throws ConfigError naming the setting and what is allowed, also for an unknown `ASSAY_…` name
 */
export function readConfig(env: NodeJS.ProcessEnv = process.env): Config {
  const settings: readonly Setting<unknown>[] = Object.values(SETTINGS);
  const known = new Set([
    ...LAUNCHER_NAMES,
    ...settings.flatMap(({ name, secret }) => (secret ? [name, `${name}_FILE`] : [name])),
  ]);
  const unknown = Object.keys(env).find((name) => name.startsWith('ASSAY_') && !known.has(name));
  if (unknown !== undefined) {
    throw new ConfigError(
      `${unknown} is not a setting; known are ${[...known].filter((n) => n.startsWith('ASSAY_')).join(', ')}`,
    );
  }
  const entries = Object.entries(SETTINGS).map(([key, setting]: [string, Setting<unknown>]) => {
    const value = readValue(setting, env);
    if (value === undefined) {
      if (setting.optional) return [key, undefined];
      throw new ConfigError(`${setting.name} is not set: ${setting.help}`);
    }
    try {
      return [key, setting.parse(value)];
    } catch (cause) {
      const shown = setting.secret ? '' : ` is "${value}" but`;
      throw new ConfigError(`${setting.name}${shown} ${(cause as Error).message}`, { cause });
    }
  });
  return Object.fromEntries(entries) as Config;
}

/** The settings as lines of a help text: name, default, meaning. */
export function describeSettings(): string {
  return Object.values(SETTINGS)
    .map((setting: Setting<unknown>) => {
      const fallback = setting.fallback === undefined ? '' : ` (default ${setting.fallback})`;
      const file = setting.secret ? `, or ${setting.name}_FILE` : '';
      return `  ${setting.name}${file}\n      ${setting.help}${fallback}`;
    })
    .join('\n');
}
