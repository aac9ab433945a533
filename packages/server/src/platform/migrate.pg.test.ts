import { describe, expect } from 'vitest';
import { test } from '../../test/fixtures.ts';
import { migrate, splitStatements } from './migrate.ts';

describe('migrate', () => {
  test('does nothing to a database of this version, even twice at once', async ({ database }) => {
    const options = { databaseUrl: database.url, clickhouseUrl: undefined };
    const runs = await Promise.all([migrate(options), migrate(options)]);
    expect(runs).toEqual([
      { postgres: [], clickhouse: [] },
      { postgres: [], clickhouse: [] },
    ]);
  });

  test('builds an empty schema once, whoever comes first', async ({ database }) => {
    await database.pool.query('DROP SCHEMA public CASCADE');
    await database.pool.query('DROP PUBLICATION IF EXISTS assay_cdc');
    await database.pool.query('CREATE SCHEMA public');
    const options = { databaseUrl: database.url, clickhouseUrl: undefined };
    const runs = await Promise.all([migrate(options), migrate(options), migrate(options)]);
    const ran = runs.filter(({ postgres }) => postgres.length > 0);
    expect(ran).toHaveLength(1);
    expect(ran[0]?.postgres[0]).toBe('0001_experiments.sql');
  });

  test('refuses a file that was edited after it ran, and a schema of a later version', async ({
    database,
  }) => {
    const options = { databaseUrl: database.url, clickhouseUrl: undefined };
    await database.pool.query(
      "UPDATE schema_migrations SET checksum = 'other' WHERE name = '0002_events.sql'",
    );
    await expect(migrate(options)).rejects.toThrow('0002_events.sql was edited after it ran');
    await database.pool.query(
      "INSERT INTO schema_migrations (name, checksum) VALUES ('9999_later.sql', 'x')",
    );
    await expect(migrate(options)).rejects.toThrow(
      '9999_later.sql, which this version does not know',
    );
  });

  test('sends ClickHouse one statement at a time', () => {
    expect(splitStatements('-- a; b\nCREATE x;\n\nCREATE y -- no\n;')).toEqual([
      'CREATE x',
      'CREATE y -- no',
    ]);
  });
});
