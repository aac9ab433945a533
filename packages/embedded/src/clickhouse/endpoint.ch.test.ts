import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningClickHouse, startClickHouse } from './server.ts';

let folder = '';
let engine: RunningClickHouse;
let client: ReturnType<typeof createClient>;

const connect = (url: string) =>
  createClient({ url, log: { level: ClickHouseLogLevel.OFF }, request_timeout: 60_000 });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-engine-'));
  engine = await startClickHouse({ dataDir: join(folder, 'data'), readers: 2 });
  client = connect(engine.url);
});

afterAll(async () => {
  await client.close();
  await engine.stop();
  await rm(folder, { recursive: true, force: true });
});

async function ask<Row>(
  query: string,
  query_params: Record<string, unknown> = {},
  abort_signal?: AbortSignal,
): Promise<Row[]> {
  const result = await client.query({
    query,
    query_params,
    format: 'JSONEachRow',
    ...(abort_signal === undefined ? {} : { abort_signal }),
  });
  return result.json<Row>();
}

describe('the endpoint', () => {
  it('hands typed parameters through unchanged', async () => {
    const nasty = [
      "o'neil",
      'back\\slash',
      'new\nline',
      'tab\tbed',
      'nul\0byte',
      '😀 ü',
      '',
      '{a:b}',
      "'); DROP",
      '\\N',
    ];
    for (const text of nasty) {
      const params = {
        text,
        list: nasty,
        nested: [[text], []],
        map: { [text]: text },
        maybe: null,
        number: 7,
      };
      const [row] = await ask(
        `SELECT {text:String} AS text, {list:Array(String)} AS list, {nested:Array(Array(String))} AS nested,
                {map:Map(String, String)} AS map, {maybe:Nullable(String)} AS maybe, {number:UInt32} AS number`,
        params,
      );
      expect(row).toEqual(params);
    }
  });

  it('never uses a parameter that an earlier statement has left', async () => {
    for (let i = 0; i < 4; i++) await ask('SELECT {left:String} AS x', { left: 'over' });
    for (let i = 0; i < 4; i++) {
      await expect(ask('SELECT {left:String} AS x')).rejects.toMatchObject({ code: '456' });
    }
  });

  it('lets no setting leak from one statement into another, nor takes one from the address', async () => {
    await client.command({
      query:
        'CREATE TABLE tokens (id UInt32) ENGINE = MergeTree ORDER BY id SETTINGS non_replicated_deduplication_window = 100',
    });
    const tokens = ["SETTINGS insert_deduplication_token = 'a'", '', ''];
    for (const [id, token] of tokens.entries()) {
      await client.command({ query: `INSERT INTO tokens ${token} VALUES (${id})` });
    }
    expect(await ask('SELECT toUInt32(count()) AS n FROM tokens')).toEqual([{ n: 3 }]);
    const refused = client.query({ query: 'SELECT 1', clickhouse_settings: { max_threads: 1 } });
    await expect(refused).rejects.toMatchObject({ code: '115' });
  });

  it('takes streamed inserts, and streams a million rows out', async () => {
    await client.command({
      query:
        'CREATE TABLE many (id UInt32, text String, value Nullable(Float64)) ENGINE = MergeTree ORDER BY id',
    });
    const values = Array.from({ length: 20_000 }, (_, id) => ({
      id,
      text: `ü\n${id}`,
      value: id % 2 ? null : id / 3,
    }));
    await client.insert({ table: 'many', values, format: 'JSONEachRow' });
    expect(await ask('SELECT id, text, value FROM many ORDER BY id')).toEqual(values);
    const result = await client.query({
      query: 'SELECT number FROM numbers(1000000)',
      format: 'JSONEachRow',
    });
    let rows = 0;
    for await (const chunk of result.stream()) rows += chunk.length;
    expect(rows).toBe(1_000_000);
  });

  it('answers errors with ClickHouse’s codes', async () => {
    await expect(ask('SELECT * FROM missing')).rejects.toMatchObject({
      code: '60',
      type: 'UNKNOWN_TABLE',
    });
    await expect(ask('SELEC 1')).rejects.toMatchObject({ code: '62' });
    await expect(ask('SELECT nope')).rejects.toMatchObject({ code: '47' });
    await expect(
      ask(
        'SELECT sleepEachRow(1) FROM numbers(5) SETTINGS max_execution_time = 1, max_block_size = 1',
      ),
    ).rejects.toMatchObject({ code: '159' });
    await expect(
      ask(
        'SELECT length(groupArray(number)) FROM numbers(100000000) SETTINGS max_memory_usage = 1000000',
      ),
    ).rejects.toMatchObject({ code: '241' });
    await client.command({
      query: 'CREATE TABLE strict (id UInt32) ENGINE = MergeTree ORDER BY id',
    });
    const bad = client.insert({
      table: 'strict',
      values: [{ id: 1 }, { id: 'x' }],
      format: 'JSONEachRow',
    });
    await expect(bad).rejects.toMatchObject({ code: '27' });
    expect(await ask('SELECT toUInt32(count()) AS n FROM strict')).toEqual([{ n: 0 }]);
    const url = new URL(engine.url);
    url.password = 'wrong';
    const stranger = connect(url.href);
    await expect(stranger.query({ query: 'SELECT 1' })).rejects.toMatchObject({ code: '516' });
    await stranger.close();
  });

  it('frees the caller of a cancelled query at once, and the others do not wait', async () => {
    const slow = 'SELECT sleepEachRow(0.2) FROM numbers(15) SETTINGS max_block_size = 1';
    const startedAt = performance.now();
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 200);
    await expect(ask(slow, {}, controller.signal)).rejects.toThrow();
    expect(performance.now() - startedAt).toBeLessThan(2_000);
    expect(await ask('SELECT 1 AS one')).toEqual([{ one: 1 }]);
    // Both readers are asked for more than they can do, and all are answered in turn.
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask('SELECT 1 AS one')));
    expect(answers).toHaveLength(20);
  });

  it('comes back at the same address with its data when it is killed', async () => {
    await client.command({
      query:
        'CREATE TABLE kept (id UInt32) ENGINE = MergeTree ORDER BY id SETTINGS fsync_after_insert = 1',
    });
    await client.insert({ table: 'kept', values: [{ id: 1 }, { id: 2 }], format: 'JSONEachRow' });
    const before = engine.pid();
    engine.kill();
    await expect
      .poll(() => ask('SELECT toUInt32(count()) AS n FROM kept').catch(() => []), {
        timeout: 20_000,
        interval: 100,
      })
      .toEqual([{ n: 2 }]);
    expect(engine.pid()).not.toBe(before);
  });
});
