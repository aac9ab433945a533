import { readFileSync } from 'node:fs';
import { describe, expect } from 'vitest';
import { test } from '../../../test/fixtures.ts';

interface Vector {
  readonly user_id: string;
  readonly seed: string;
  readonly hash: number;
  readonly bucket: number;
}

const { buckets }: { readonly buckets: readonly Vector[] } = JSON.parse(
  readFileSync(new URL('../../../../../spec/assignment/vectors.json', import.meta.url), 'utf8'),
);

describe('the hash', () => {
  test('can be audited in ClickHouse over the whole population', async ({ clickhouse }) => {
    const rows = [];
    // In parts, since parameters travel in the address of the request.
    for (let at = 0; at < buckets.length; at += 20) {
      const part = buckets.slice(at, at + 20);
      const result = await clickhouse.client.query({
        query: `SELECT murmurHash3_32(text) AS hash, hash % 10000 AS bucket
                FROM (SELECT arrayJoin(arrayMap((u, s) -> concat(u, ':', s), {users:Array(String)}, {seeds:Array(String)})) AS text)`,
        query_params: {
          users: part.map(({ user_id }) => user_id),
          seeds: part.map(({ seed }) => seed),
        },
        format: 'JSONEachRow',
      });
      rows.push(...(await result.json()));
    }
    expect(rows).toEqual(buckets.map(({ hash, bucket }) => ({ hash, bucket })));
  });
});
