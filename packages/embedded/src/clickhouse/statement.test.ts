import { describe, expect, it } from 'vitest';
import { errorCode, formatOf, isReadOnly, parameterNames, quote, statusOf } from './statement.ts';

describe('a statement', () => {
  it.each([
    ['SELECT 1', true],
    ['  -- why\n/* and how */ with x as (select 1) select * from x', true],
    ['(SELECT 1) UNION ALL (SELECT 2)', true],
    ['SHOW TABLES', true],
    ['INSERT INTO t SELECT 1', false],
    ['ALTER TABLE t DROP PARTITION 1', false],
    ['SYSTEM STOP MERGES', false],
  ])('%j is read only: %s', (sql, expected) => {
    expect(isReadOnly(sql)).toBe(expected);
  });

  it('names its format and its parameters', () => {
    expect(formatOf('SELECT 1 FORMAT JSONEachRow')).toBe('JSONEachRow');
    expect(formatOf('INSERT INTO t SETTINGS a = 1 FORMAT JSONEachRow;')).toBe('JSONEachRow');
    expect(formatOf("SELECT 'FORMAT x'")).toBeUndefined();
    expect(parameterNames('SELECT {a:String}, { b : Array(UInt8) }, \'{"c":1}\'')).toEqual([
      'a',
      'b',
    ]);
  });

  it('quotes, and reads the engine’s errors', () => {
    expect(quote("it's \\ here")).toBe("'it\\'s \\\\ here'");
    expect(errorCode('Code: 60. DB::Exception: no')).toBe(60);
    expect(errorCode('no')).toBeUndefined();
    expect([statusOf(60), statusOf(516), statusOf(62), statusOf(202), statusOf(undefined)]).toEqual(
      [404, 403, 400, 503, 500],
    );
  });
});
