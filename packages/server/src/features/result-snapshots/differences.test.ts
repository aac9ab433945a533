import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { differencesOf, pathTo } from './differences.ts';

type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

const documents = fc.jsonValue({ maxDepth: 4 }) as fc.Arbitrary<Json>;

/** Every place without fields or items of its own. */
function leavesOf(value: Json, path: string): readonly { path: string; value: Json }[] {
  if (Array.isArray(value)) {
    return value.flatMap((item: Json, index) => leavesOf(item, pathTo(path, index)));
  }
  if (typeof value !== 'object' || value === null) return [{ path, value }];
  return Object.entries(value).flatMap(([name, inner]) => leavesOf(inner, pathTo(path, name)));
}

/** The document with another value at a path. */
function withLeaf(value: Json, path: string, target: string, leaf: Json): Json {
  if (path === target) return leaf;
  if (Array.isArray(value)) {
    return value.map((item: Json, index) => withLeaf(item, pathTo(path, index), target, leaf));
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name,
      withLeaf(inner, pathTo(path, name), target, leaf),
    ]),
  );
}

const copyOf = (value: Json): Json => JSON.parse(JSON.stringify(value));

/** The same fields in the opposite order. */
function turned(value: Json): Json {
  if (Array.isArray(value)) return value.map(turned);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([name, inner]) => [name, turned(inner)]),
  );
}

describe('differences', () => {
  it('are none between a value and itself, whatever the order of its fields', () => {
    fc.assert(
      fc.property(documents.map(copyOf), (document) => {
        expect(differencesOf(document, copyOf(document), 'it')).toEqual([]);
        expect(differencesOf(document, turned(document), 'it')).toEqual([]);
      }),
    );
  });

  it('name every leaf that was changed, and nothing else', () => {
    fc.assert(
      fc.property(documents.map(copyOf), (document) => {
        for (const { path, value } of leavesOf(document, 'it')) {
          const leaf = value === 'other' ? 0 : 'other';
          expect(differencesOf(document, withLeaf(document, 'it', path, leaf), 'it')).toEqual([
            { path, stored: value, recomputed: leaf },
          ]);
        }
      }),
    );
  });

  it('are the same seen from the other side', () => {
    fc.assert(
      fc.property(documents.map(copyOf), documents.map(copyOf), (one, other) => {
        const keyed = (differences: ReturnType<typeof differencesOf>) =>
          new Map(differences.map((difference) => [difference.path, difference]));
        const there = keyed(differencesOf(one, other, 'it'));
        const back = keyed(differencesOf(other, one, 'it'));
        expect([...there.keys()].sort()).toEqual([...back.keys()].sort());
        for (const [path, { stored, recomputed }] of there) {
          expect(back.get(path)).toEqual({
            path,
            ...(recomputed === undefined ? {} : { stored: recomputed }),
            ...(stored === undefined ? {} : { recomputed: stored }),
          });
        }
      }),
    );
  });

  const cases: [string, unknown, unknown, readonly object[]][] = [
    ['a sign of zero', 0, -0, [{ path: 'it', stored: 0, recomputed: -0 }]],
    ['the last digit', 0.1 + 0.2, 0.3, [{ path: 'it', stored: 0.1 + 0.2, recomputed: 0.3 }]],
    ['a new field', {}, { a: [1] }, [{ path: 'it.a', recomputed: [1] }]],
    ['a shorter list', [1, 2], [1], [{ path: 'it[1]', stored: 2 }]],
    ['null and nothing', { a: null }, {}, [{ path: 'it.a', stored: null }]],
    ['a list and an object', [], {}, [{ path: 'it', stored: [], recomputed: {} }]],
    [
      'a name that objects have without it',
      JSON.parse('{"__proto__": 1}'),
      {},
      [{ path: 'it.__proto__', stored: 1 }],
    ],
    [
      'a name with a dot',
      { 'a.b': 1 },
      { 'a.b': 2 },
      [{ path: 'it["a.b"]', stored: 1, recomputed: 2 }],
    ],
  ];
  it.each(cases)('tell %s', (_, stored, recomputed, expected) => {
    expect(differencesOf(stored, recomputed, 'it')).toEqual(expected);
  });
});
