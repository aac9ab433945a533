import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import pg from 'pg';
import { ADVISORY_LOCKS } from './advisory-locks.ts';
import { type ClickHouse, connectClickHouse, rowsOf } from './clickhouse.ts';

/** One numbered SQL file. */
interface Migration {
  readonly name: string;
  readonly sql: string;
  readonly checksum: string;
}

/** What the runner needs of a database; PostgreSQL and ClickHouse each give theirs. */
interface Target {
  readonly applied: () => Promise<ReadonlyMap<string, string>>;
  readonly apply: (migration: Migration) => Promise<void>;
}

/** A migration that was edited after it ran, or is missing from this build. */
class MigrationError extends Error {
  override readonly name = 'MigrationError';
}

const LOCK_TIMEOUT_MS = 60_000;

const MIGRATIONS_URL = new URL('../../migrations/', import.meta.url);

async function readMigrations(kind: 'postgres' | 'clickhouse'): Promise<readonly Migration[]> {
  const folder = new URL(`${kind}/`, MIGRATIONS_URL);
  const names = (await readdir(folder)).filter((name) => /^\d{4}_[a-z0-9_]+\.sql$/.test(name));
  return Promise.all(
    names.sort().map(async (name) => {
      const sql = await readFile(new URL(name, folder), 'utf8');
      return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
    }),
  );
}

/** Applies what is not applied yet, in order; answers the names that it applied. */
async function run(kind: 'postgres' | 'clickhouse', target: Target): Promise<readonly string[]> {
  const migrations = await readMigrations(kind);
  const applied = await target.applied();
  const known = new Set(migrations.map(({ name }) => name));
  const unknown = [...applied.keys()].find((name) => !known.has(name));
  if (unknown !== undefined) {
    throw new MigrationError(
      `${kind} holds migration ${unknown}, which this version does not know; run a newer version`,
    );
  }
  const ran: string[] = [];
  for (const migration of migrations) {
    const checksum = applied.get(migration.name);
    if (checksum === undefined) {
      await target.apply(migration);
      ran.push(migration.name);
    } else if (checksum !== migration.checksum) {
      throw new MigrationError(
        `${kind} migration ${migration.name} was edited after it ran; add a new file instead`,
      );
    }
  }
  return ran;
}

function postgresTarget(client: pg.Client): Target {
  return {
    async applied() {
      await client.query(
        `CREATE TABLE IF NOT EXISTS schema_migrations (
           name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())`,
      );
      const { rows } = await client.query<{ name: string; checksum: string }>(
        'SELECT name, checksum FROM schema_migrations',
      );
      return new Map(rows.map(({ name, checksum }) => [name, checksum]));
    },
    async apply({ name, sql, checksum }) {
      await client.query('BEGIN');
      try {
        await client.query(sql);
        await client.query('INSERT INTO schema_migrations (name, checksum) VALUES ($1, $2)', [
          name,
          checksum,
        ]);
        await client.query('COMMIT');
      } catch (cause) {
        await client.query('ROLLBACK');
        throw new MigrationError(`postgres migration ${name} failed: ${(cause as Error).message}`, {
          cause,
        });
      }
    },
  };
}

/** ClickHouse has no transactions: each file holds statements that may run twice (IF NOT EXISTS). */
function clickhouseTarget(clickhouse: ClickHouse): Target {
  return {
    async applied() {
      await clickhouse.command({
        query: `CREATE TABLE IF NOT EXISTS schema_migrations
                (name String, checksum String, applied_at DateTime64(6, 'UTC') DEFAULT now64(6))
                ENGINE = ReplacingMergeTree ORDER BY name`,
      });
      const rows = await rowsOf<{ name: string; checksum: string }>(clickhouse, {
        query: 'SELECT name, checksum FROM schema_migrations FINAL',
      });
      return new Map(rows.map(({ name, checksum }) => [name, checksum]));
    },
    async apply({ name, sql, checksum }) {
      for (const statement of splitStatements(sql)) {
        await clickhouse.command({ query: statement }).catch((cause: Error) => {
          throw new MigrationError(`clickhouse migration ${name} failed: ${cause.message}`, {
            cause,
          });
        });
      }
      await clickhouse.command({
        query: `INSERT INTO schema_migrations (name, checksum) SETTINGS async_insert = 0
                SELECT {name:String}, {checksum:String}`,
        query_params: { name, checksum },
      });
    },
  };
}

/** ClickHouse takes one statement a request. Migration files hold no `;` inside strings. */
export function splitStatements(sql: string): readonly string[] {
  return sql
    .replace(/^\s*--.*$/gm, '')
    .split(';')
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '');
}

/**
 * Brings both databases to this version's schema. Processes that start together wait for each
 * other on one advisory lock, held in PostgreSQL for ClickHouse too.
 *
 * @throws MigrationError when a file fails, was edited after it ran, or is unknown to this version
 */
export async function migrate(options: {
  readonly databaseUrl: string;
  readonly clickhouseUrl: string | undefined;
}): Promise<{ readonly postgres: readonly string[]; readonly clickhouse: readonly string[] }> {
  const client = new pg.Client({
    connectionString: options.databaseUrl,
    connectionTimeoutMillis: 10_000,
    application_name: 'assay-migrate',
  });
  await client.connect();
  try {
    await client.query(`SET lock_timeout = ${LOCK_TIMEOUT_MS}`);
    await client.query('SELECT pg_advisory_lock($1)', [ADVISORY_LOCKS.migrate]);
    await client.query('SET lock_timeout = 5000');
    const postgres = await run('postgres', postgresTarget(client));
    if (options.clickhouseUrl === undefined) return { postgres, clickhouse: [] };
    const clickhouse = connectClickHouse(options.clickhouseUrl);
    try {
      return { postgres, clickhouse: await run('clickhouse', clickhouseTarget(clickhouse)) };
    } finally {
      await clickhouse.close();
    }
  } finally {
    // Ends the session and with it the lock.
    await client.end();
  }
}
