import { describe, expect, it } from 'vitest';
import { readStatement, withSettings } from './statement.ts';

describe('readStatement', () => {
  it.each([
    ['SELECT 1', 'read'],
    ['  -- why\n /* and */ (SELECT 1) UNION ALL (SELECT 2)', 'read'],
    ['WITH 1 AS x SELECT x', 'read'],
    ['show tables', 'read'],
    ['EXPLAIN SELECT 1', 'read'],
    ['INSERT INTO t VALUES (1)', 'insert'],
    ['WITH 1 AS x INSERT INTO t SELECT x', 'insert'],
    ['CREATE TABLE t (a Int8) ENGINE = Memory', 'command'],
    ['OPTIMIZE TABLE t FINAL', 'command'],
  ])('%s is of kind %s', (sql, kind) => {
    expect(readStatement(sql).kind).toBe(kind);
  });

  it('finds typed parameters, but not in literals, comments or rows', () => {
    const sql = `SELECT {a:String}, { b : Array(UInt8) }, '{c:String}', \`{d:Int8}\` -- {e:Int8}
                 /* {f:Int8} */, $tag$ {g:Int8} $tag$, map('k', 1), {'h':1}`;
    expect(readStatement(sql).parameters).toEqual(['a', 'b']);
    expect(readStatement('INSERT INTO t FORMAT TSV\n{a:b}').parameters).toEqual([]);
    expect(readStatement("INSERT INTO t VALUES ({a:Int8}), ('{b:Int8}')").parameters).toEqual([
      'a',
    ]);
  });

  it('separates the rows of an INSERT from it', () => {
    const read = readStatement('INSERT INTO t (a) FORMAT JSONEachRow\n{"a":";"};\n{"a":2}');
    expect(read).toMatchObject({
      sql: 'INSERT INTO t (a) FORMAT JSONEachRow',
      rows: '{"a":";"};\n{"a":2}',
      format: 'JSONEachRow',
    });
    expect(readStatement('INSERT INTO t (format, a) FORMAT TSV').format).toBe('TSV');
    expect(readStatement('INSERT INTO t SELECT 1 FORMAT Null').rows).toBeUndefined();
  });

  it('reads FORMAT at the end only', () => {
    expect(readStatement('SELECT format FROM t').format).toBeUndefined();
    expect(readStatement("SELECT 'FORMAT JSON'").format).toBeUndefined();
    expect(readStatement('SELECT 1 FORMAT JSON;').format).toBe('JSON');
    expect(readStatement('SELECT 1 FORMAT CSV SETTINGS max_threads = 1').format).toBe('CSV');
  });

  it.each([
    '',
    ' -- nothing',
    'SELECT 1; SELECT 2',
    'INSERT INTO t VALUES (1); SET max_threads = 1',
    'SET max_threads = 1',
    'use other',
    "SELECT 1 INTO OUTFILE '/tmp/x'",
  ])('refuses: %s', (sql) => {
    expect(() => readStatement(sql)).toThrow(/^Code: (48|62)\. DB::Exception: /);
  });

  it('is not confused by semicolons in literals, nor by one at the end', () => {
    for (const sql of [
      "SELECT ';', 'it''s; \\'x', `a;b`, \"c;d\"",
      'SELECT 1 /* ; */ -- ;',
      'SELECT 1 ;\n',
      'SELECT $$ ; $$',
    ]) {
      expect(readStatement(sql).kind).toBe('read');
    }
    expect(readStatement('SELECT 1 ; -- end').sql).toBe('SELECT 1');
  });

  it('reads a long literal and many values', () => {
    const long = `SELECT '${"it''s \\\\ ".repeat(200_000)}'`;
    expect(readStatement(long).sql).toHaveLength(long.length);
    expect(readStatement(`INSERT INTO t VALUES ${'(1),'.repeat(50_000)}(2)`).kind).toBe('insert');
  });
});

describe('withSettings', () => {
  const add = (sql: string, ...settings: string[]): string =>
    withSettings(readStatement(sql), settings, 'JSON');

  it('puts settings where the engine takes them, those of the statement last', () => {
    expect(add('SELECT 1', 'a = 1')).toBe('SELECT 1\nFORMAT JSON\nSETTINGS a = 1');
    expect(add('SELECT 1 SETTINGS b = 2 -- x', 'a = 1')).toBe(
      'SELECT 1 SETTINGS b = 2\nFORMAT JSON\nSETTINGS a = 1',
    );
    expect(add('SELECT 1 FORMAT CSV;', 'a = 1')).toBe('SELECT 1 FORMAT CSV\nSETTINGS a = 1');
    expect(add('SELECT 1 FORMAT CSV SETTINGS b = 2', 'a = 1')).toBe(
      'SELECT 1 FORMAT CSV SETTINGS a = 1, b = 2',
    );
    expect(add('INSERT INTO t (a) FORMAT TSV', 'a = 1')).toBe(
      'INSERT INTO t (a) SETTINGS a = 1 FORMAT TSV',
    );
    expect(add('INSERT INTO t SETTINGS b = 2 FORMAT TSV', 'a = 1')).toBe(
      'INSERT INTO t SETTINGS a = 1, b = 2 FORMAT TSV',
    );
    expect(add('INSERT INTO t SELECT 1 SETTINGS b = 2', 'a = 1')).toBe(
      'INSERT INTO t SETTINGS a = 1 SELECT 1 SETTINGS b = 2',
    );
    expect(add('ALTER TABLE t DELETE WHERE 1', 'a = 1')).toBe(
      'ALTER TABLE t DELETE WHERE 1\nFORMAT JSON\nSETTINGS a = 1',
    );
  });

  it('leaves a command alone that is given none, and refuses some for one that takes none', () => {
    expect(add('SYSTEM FLUSH LOGS')).toBe('SYSTEM FLUSH LOGS');
    expect(() => add('SYSTEM FLUSH LOGS', 'a = 1')).toThrow('NOT_IMPLEMENTED');
  });
});
