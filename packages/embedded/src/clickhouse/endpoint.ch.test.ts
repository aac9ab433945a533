import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestEngine, type TestEngine } from '../../test/engine.ts';

const READERS = 2;
let engine: TestEngine['engine'];
let client: TestEngine['client'];
let rows: TestEngine['rows'];
let makeTable: TestEngine['makeTable'];
let send: TestEngine['send'];
let stop: TestEngine['stop'];

beforeAll(async () => {
  ({ engine, client, rows, makeTable, send, stop } = await startTestEngine(READERS));
});

afterAll(() => stop());

const HEAVY = 'SELECT count() FROM numbers(100000000000) WHERE sipHash64(number) = 1';

describe('inserts', () => {
  it('take rows that begin with an empty cell', async () => {
    const table = await makeTable('s String, t String');
    const query = encodeURIComponent(`INSERT INTO ${table} FORMAT TabSeparated`);
    await send(`database=assay&query=${query}`, { method: 'POST', body: '\ta\n\tb\n' });
    expect(await rows(`SELECT * FROM ${table} ORDER BY t`)).toEqual([
      { s: '', t: 'a' },
      { s: '', t: 'b' },
    ]);
  });

  it('keep every character, and report what was written', async () => {
    const table = await makeTable('a UInt32, s String, n Nullable(Float64)');
    const values = ['\0', '\t', '\n', "'", '\\', '😀', ';', '', '{x:Int8}'].map((s, a) => ({
      a,
      s,
      n: a % 2 === 0 ? null : a / 3,
    }));
    const { summary } = await client.insert({ table, values, format: 'JSONEachRow' });
    expect(summary?.written_rows).toBe(String(values.length));
    expect(await rows(`SELECT * FROM ${table} ORDER BY a`)).toEqual(values);
    await client.command({
      query: `INSERT INTO ${table} VALUES (100, {s:String}, NULL)`,
      query_params: { s: 'v;' },
    });
    expect(await rows(`SELECT s FROM ${table} WHERE a = 100`)).toEqual([{ s: 'v;' }]);
  });

  it('are there whole or not at all when a row is bad', async () => {
    const table = await makeTable('a UInt8');
    const values = [{ a: 1 }, { a: 'two' }, { a: 3 }];
    await expect(client.insert({ table, values, format: 'JSONEachRow' })).rejects.toMatchObject({
      code: '27',
    });
    expect(await rows(`SELECT * FROM ${table}`)).toEqual([]);
  });

  it('of a hundred megabytes are streamed', async () => {
    const table = await makeTable('a UInt32, s String');
    const lines = 1_000_000;
    const padding = 'x'.repeat(80);
    function* body(): Generator<string> {
      for (let from = 0; from < lines; from += 1_000) {
        yield Array.from({ length: 1_000 }, (_, index) => `${from + index}\t${padding}\n`).join('');
      }
    }
    await client.insert({
      table,
      values: Readable.from(body(), { objectMode: false }),
      format: 'TabSeparated',
    });
    expect(await rows(`SELECT count() AS n, uniqExact(a) AS u FROM ${table}`)).toEqual([
      { n: lines, u: lines },
    ]);
  });

  it('may be compressed', async () => {
    const table = await makeTable('a UInt8');
    const query = encodeURIComponent(`INSERT INTO ${table} FORMAT JSONEachRow`);
    const response = await send(`database=assay&query=${query}`, {
      method: 'POST',
      body: gzipSync('{"a":7}\n'),
      headers: { 'content-encoding': 'gzip' },
    });
    expect([response.status, await response.text()]).toEqual([200, '']);
    expect(await rows(`SELECT a FROM ${table}`)).toEqual([{ a: 7 }]);
  });

  it('that are too large, or binary, are refused', async () => {
    const body = new Blob([new Uint8Array(5 * 1024 * 1024).fill(32)]);
    const large = await send('database=assay', { method: 'POST', body });
    expect(large.status).toBe(413);
    expect(large.headers.get('x-clickhouse-exception-code')).toBe('307');
    const table = await makeTable('a UInt8');
    const query = encodeURIComponent(`INSERT INTO ${table} FORMAT RowBinary`);
    const binary = await send(`database=assay&query=${query}`, { method: 'POST', body: 'x' });
    expect(await binary.text()).toContain('Code: 73.');
  });
});

describe('results', () => {
  it('of a million rows are streamed', async () => {
    const result = await client.query({
      query: 'SELECT number, toString(number) AS s FROM numbers(1000000)',
      format: 'JSONEachRow',
    });
    let count = 0;
    for await (const chunk of result.stream()) count += chunk.length;
    expect(count).toBe(1_000_000);
  });

  it('come in other formats, quoted when that is asked for', async () => {
    const query = 'SELECT toUInt64(18446744073709551615) AS n';
    const quoted = await client.query({
      query,
      format: 'JSON',
      clickhouse_settings: { output_format_json_quote_64bit_integers: 1 },
    });
    expect(await quoted.json()).toMatchObject({ data: [{ n: '18446744073709551615' }], rows: 1 });
    const csv = await client.query({ query: 'SELECT 1, 2', format: 'CSVWithNames' });
    expect(await csv.text()).toBe('"1","2"\n1,2\n');
    const response = await send(`query=${encodeURIComponent('SELECT 1 AS a FORMAT JSONEachRow')}`);
    expect(response.headers.get('content-type')).toContain('application/x-ndjson');
    expect(await response.text()).toBe('{"a":1}\n');
  });

  it('that cannot be sent piece by piece are bounded', async () => {
    const query = "SELECT repeat('x', 1000 + number % 2) AS s FROM numbers(1000000)";
    await expect(client.query({ query, format: 'JSON' })).rejects.toMatchObject({ code: '396' });
  });

  it('that fail half-way end with the error', async () => {
    const result = await client.query({
      query: `SELECT throwIf(number = 900000), repeat('x', 50 + number % 2) FROM numbers(1000000)
              SETTINGS max_block_size = 1000`,
      format: 'JSONEachRow',
    });
    await expect(result.json()).rejects.toMatchObject({ code: '395' });
  });
});

describe('a result that is made whole and fails half-way', () => {
  it('leaves nothing behind for the next', async () => {
    const query =
      'SELECT number, throwIf(number = 90000) FROM numbers(100000) SETTINGS max_block_size = 1000';
    for (const format of ['JSON', 'JSONCompact', 'CSVWithNames'] as const) {
      for (let round = 0; round < READERS; round++) {
        await expect(client.query({ query, format })).rejects.toMatchObject({ code: '395' });
      }
      for (let round = 0; round < READERS * 2; round++) {
        const next = await client.query({ query: 'SELECT 1', format: 'CSV' });
        expect(await next.text()).toBe('1\n');
      }
    }
  });
});

it('answers others while a scalar subquery is computed', async () => {
  const slow = rows(`SELECT (${HEAVY} SETTINGS max_execution_time = 3) AS n`).catch(() => {});
  await new Promise((resolve) => setTimeout(resolve, 200));
  const startedAt = performance.now();
  expect(await client.ping()).toMatchObject({ success: true });
  expect(performance.now() - startedAt).toBeLessThan(1_000);
  await slow;
});

describe('errors', () => {
  it.each([
    ['SELECT * FROM nowhere', 404, 60],
    ['SELECT * FROM nowhere.t', 404, 81],
    ['SELECT x', 404, 47],
    ['SELECT (1', 400, 62],
    ["SELECT toUInt8('x')", 400, 6],
    ['SELECT throwIf(1)', 500, 395],
    [
      'SELECT length(groupArray(number)) FROM numbers(100000000) SETTINGS max_memory_usage = 1000000',
      503,
      241,
    ],
    [`${HEAVY} SETTINGS max_execution_time = 1`, 408, 159],
  ])('%s: status %i, code %i', async (query, status, code) => {
    const response = await send('database=assay', { method: 'POST', body: query });
    expect(response.status).toBe(status);
    expect(response.headers.get('x-clickhouse-exception-code')).toBe(String(code));
    expect(await response.text()).toMatch(new RegExp(`^Code: ${code}\\. DB::Exception: `));
  });

  it('of authentication are told apart, and say nothing else', async () => {
    const { origin } = new URL(engine.url);
    expect((await fetch(`${origin}/?query=SELECT+1`)).status).toBe(401);
    const wrong = createClient({
      url: origin,
      username: 'assay',
      password: 'guess',
      log: { level: ClickHouseLogLevel.OFF },
    });
    await expect(wrong.command({ query: 'SELECT 1' })).rejects.toMatchObject({ code: '516' });
    expect(await wrong.ping()).toMatchObject({ success: true });
    await wrong.close();
  });

  it('also meet who would write with GET', async () => {
    const response = await send(`query=${encodeURIComponent('CREATE DATABASE x')}`);
    expect([response.status, response.headers.get('x-clickhouse-exception-code')]).toEqual([
      403,
      '164',
    ]);
  });
});

it('answers more than it can run at once in turn', async () => {
  const search = `query=${encodeURIComponent('SELECT sleep(0.01)')}`;
  const responses = await Promise.all(Array.from({ length: 100 }, () => send(search)));
  expect(responses.filter(({ status }) => status !== 200)).toEqual([]);
});

describe('a caller who leaves', () => {
  it('frees the connection at once, whether the result is streamed or not', async () => {
    for (const format of ['JSONEachRow', 'JSON'] as const) {
      const aborts = Array.from({ length: READERS + 5 }, () => new AbortController());
      const abandoned = aborts.map(({ signal }) =>
        client.query({ query: HEAVY, format, abort_signal: signal }).then(
          (result) => result.text(),
          (error: Error) => error.message,
        ),
      );
      await new Promise((resolve) => setTimeout(resolve, 500));
      for (const abort of aborts) abort.abort();
      await Promise.allSettled(abandoned);
      const startedAt = performance.now();
      await Promise.all(Array.from({ length: READERS }, () => rows('SELECT 1')));
      expect(performance.now() - startedAt).toBeLessThan(2_000);
    }
  });

  it('does not undo a write', async () => {
    const table = await makeTable('a UInt64');
    const abort = new AbortController();
    const written = client
      .command({
        query: `INSERT INTO ${table} SELECT number + sleepEachRow(0.01) FROM numbers(100) SETTINGS max_block_size = 10`,
        abort_signal: abort.signal,
      })
      .catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 300));
    abort.abort();
    await written;
    await expect
      .poll(async () => rows(`SELECT count() AS n FROM ${table}`), { timeout: 10_000 })
      .toEqual([{ n: 100 }]);
  });
});

describe('the engine', () => {
  it('comes back at the same address with its data when it is killed', async () => {
    const table = await makeTable('a UInt8');
    await client.insert({ table, values: [{ a: 1 }], format: 'JSONEachRow' });
    const pid = engine.pid();
    engine.kill();
    await expect.poll(() => engine.pid(), { timeout: 10_000 }).not.toBe(pid);
    await expect
      .poll(() => rows(`SELECT a FROM ${table}`).catch(() => []), { timeout: 20_000 })
      .toEqual([{ a: 1 }]);
  });

  it('stops within four seconds with a statement running', async () => {
    const running = client.command({ query: HEAVY }).catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 200));
    const startedAt = performance.now();
    await engine.stop();
    expect(performance.now() - startedAt).toBeLessThan(4_500);
    await running;
  });
});
