import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bucketOf } from './buckets.ts';
import { murmur3, murmur3Joined, utf8Length } from './murmur3.ts';

interface Vectors {
  readonly hashes: readonly { readonly text: string; readonly hash: number }[];
  readonly buckets: readonly {
    readonly user_id: string;
    readonly seed: string;
    readonly hash: number;
    readonly bucket: number;
  }[];
}

const vectors: Vectors = JSON.parse(
  readFileSync(new URL('../../../../spec/assignment/vectors.json', import.meta.url), 'utf8'),
);

describe('murmur3', () => {
  it.each(vectors.hashes)('hashes $text as mmh3 does', ({ text, hash }) => {
    expect(murmur3(text)).toBe(hash);
  });

  it('gives the bucket of every vector', () => {
    expect(vectors.buckets.length).toBeGreaterThan(300);
    for (const { user_id, seed, hash, bucket } of vectors.buckets) {
      expect(murmur3(`${user_id}:${seed}`)).toBe(hash);
      expect(bucketOf(user_id, seed)).toBe(bucket);
    }
  });

  it('does not depend on what was hashed before, also beyond the scratch buffer', () => {
    const long = 'ü'.repeat(5_000);
    const before = murmur3('u1:s');
    const first = murmur3(long);
    expect(murmur3('u1:s')).toBe(before);
    expect(murmur3(long)).toBe(first);
  });
});

describe('murmur3Joined', () => {
  it('is the hash of the joined text, surrogates on either side of the colon included', () => {
    const part = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('', '\ud800', 'x'.repeat(1_020)),
    );
    fc.assert(
      fc.property(part, part, (left, right) => {
        expect(murmur3Joined(left, right)).toBe(murmur3(`${left}:${right}`));
      }),
    );
  });
});

describe('utf8Length', () => {
  it('equals the length that an encoder gives, lone surrogates included', () => {
    const encoder = new TextEncoder();
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        fc.constantFrom('', '\ud800', '\udc00x'),
        (a, b) => {
          expect(utf8Length(a + b)).toBe(encoder.encode(a + b).length);
        },
      ),
    );
  });
});
