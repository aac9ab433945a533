import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestEngine, type TestEngine } from '../../test/engine.ts';

const READERS = 2;
let client: TestEngine['client'];
let rows: TestEngine['rows'];
let makeTable: TestEngine['makeTable'];
let send: TestEngine['send'];
let stop: TestEngine['stop'];

beforeAll(async () => {
  ({ client, rows, makeTable, send, stop } = await startTestEngine(READERS));
});

afterAll(() => stop());

describe('typed parameters', () => {
  const TEXTS = [
    "it's",
    '\\',
    '\\n\\t\\0',
    'line\nbreak\r\n',
    'tab\there',
    'nul\0inside',
    '😀 ünïcode 漢字',
    '',
    "'); DROP TABLE x; --",
    '{a:String}',
    '`"$$',
    ' ',
  ];

  it.each(TEXTS)('returns the string %j as it was', async (text) => {
    expect(await rows('SELECT {p:String} AS p', { p: text })).toEqual([{ p: text }]);
  });

  it('returns nested arrays, maps and nulls as they were', async () => {
    const texts = [TEXTS, [], ["'", '\\']];
    expect(await rows('SELECT {p:Array(Array(String))} AS p', { p: texts })).toEqual([
      { p: texts },
    ]);
    const map = Object.fromEntries(TEXTS.map((text, index) => [text, index]));
    expect(await rows('SELECT {p:Map(String, UInt8)} AS p', { p: map })).toEqual([{ p: map }]);
    const nulls = ['a', null, 'NULL', '\\N'];
    expect(await rows('SELECT {p:Array(Nullable(String))} AS p', { p: nulls })).toEqual([
      { p: nulls },
    ]);
    expect(await rows('SELECT {p:Nullable(String)} AS p', { p: null })).toEqual([{ p: null }]);
  });

  it('takes numbers, dates and names', async () => {
    const [row] = await rows(
      'SELECT {a:Int64} AS a, {b:Float64} AS b, {c:DateTime64(3)} AS c, {d:UUID} AS d FROM system.{e:Identifier}',
      {
        a: -42,
        b: 0.1,
        c: new Date('2026-01-05T10:00:00.123Z'),
        d: '0193a1f0-0000-7000-8000-000000000001',
        e: 'one',
      },
    );
    expect(row).toEqual({
      a: -42,
      b: 0.1,
      c: '2026-01-05 10:00:00.123',
      d: '0193a1f0-0000-7000-8000-000000000001',
    });
  });

  it('takes one of a quarter of a million characters', async () => {
    const text = 'x\'"'.repeat(80_000);
    expect(await rows('SELECT length({p:String}) AS n', { p: text })).toEqual([{ n: 240_000 }]);
  });

  it('does not fall back on what an earlier statement has left behind', async () => {
    for (let round = 0; round < READERS * 2; round++)
      await rows('SELECT {left:UInt8}', { left: 1 });
    await expect(rows('SELECT {left:UInt8}')).rejects.toMatchObject({ code: '456' });
  });
});

describe('settings', () => {
  const READ = "SELECT getSetting('max_block_size') AS block, getSetting('max_threads') AS threads";

  it('apply to their statement and to no other', async () => {
    const [before] = await rows(READ);
    const result = await client.query({
      query: `${READ} SETTINGS max_threads = 1`,
      format: 'JSONEachRow',
      clickhouse_settings: { max_block_size: '1234', max_threads: 2 },
    });
    // The statement's own setting is stronger than the URL's, as on ClickHouse's own server.
    expect(await result.json()).toEqual([{ block: 1234, threads: 1 }]);
    for (let round = 0; round < READERS * 3; round++) expect(await rows(READ)).toEqual([before]);
  });

  it('apply to inserts and commands, and to no other', async () => {
    const table = await makeTable('a UInt8');
    const insert = (values: object[], clickhouse_settings: Record<string, 0 | 1>) =>
      client.insert({ table, values, format: 'JSONEachRow', clickhouse_settings });
    const values = [{ a: 1, unknown: 2 }];
    await expect(insert(values, { input_format_skip_unknown_fields: 0 })).rejects.toMatchObject({
      code: '117',
    });
    await insert(values, {});
    await client.command({
      query: `ALTER TABLE ${table} DELETE WHERE a = 1`,
      clickhouse_settings: { mutations_sync: '2' },
    });
    expect(await rows(`SELECT * FROM ${table}`)).toEqual([]);
  });

  it('hold for every connection where they are the engine’s', async () => {
    const all = await Promise.all(
      Array.from({ length: READERS * 2 }, () =>
        rows(`SELECT getSetting('max_execution_time') AS s, getSetting('async_insert') AS a,
                     timezone() AS tz`),
      ),
    );
    for (const found of all) expect(found).toEqual([{ s: 60, a: false, tz: 'UTC' }]);
  });

  it.each([
    ['readonly', 1, 115],
    ['max_server_memory_usage', 1, 115],
    ['session_id', 'x', 115],
  ])('%s is refused', async (name, value, code) => {
    const response = await send(`${name}=${value}`, { method: 'POST', body: 'SELECT 1' });
    expect(response.status).toBe(404);
    expect(response.headers.get('x-clickhouse-exception-code')).toBe(String(code));
    expect(await response.text()).toMatch(/^Code: 115\. DB::Exception: .*\(UNKNOWN_SETTING\)\n$/);
  });

  it('of a statement stay with it: a token drops no later insert', async () => {
    await client.command({
      query: `CREATE TABLE tokens (id UInt32) ENGINE = MergeTree ORDER BY id
              SETTINGS non_replicated_deduplication_window = 100`,
    });
    for (const [id, token] of ["SETTINGS insert_deduplication_token = 'a'", '', ''].entries()) {
      await client.command({ query: `INSERT INTO tokens ${token} VALUES (${id})` });
    }
    const insert = (id: number, insert_deduplication_token: string) =>
      client.insert({
        table: 'tokens',
        values: [{ id }],
        format: 'JSONEachRow',
        clickhouse_settings: { insert_deduplication_token },
      });
    await insert(3, 'b');
    await insert(4, 'b');
    await insert(5, 'c');
    expect(await rows('SELECT id FROM tokens ORDER BY id')).toEqual(
      [0, 1, 2, 3, 5].map((id) => ({ id })),
    );
  });

  it('are not taken as statements either', async () => {
    for (const query of ['SET max_threads = 1', 'SELECT 1; SET max_threads = 1', 'USE system']) {
      await expect(client.command({ query })).rejects.toThrow();
    }
  });
});
