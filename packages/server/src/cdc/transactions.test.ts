import { describe, expect, it } from 'vitest';
import { type Message, ProtocolError, UNCHANGED } from './pgoutput.ts';
import { type Assembly, assemble, createAssembly } from './transactions.ts';

const RELATION: Message = {
  kind: 'relation',
  relation: {
    id: 1,
    schema: 'public',
    table: 'assignments',
    columns: [
      { name: 'user_id', isKey: true },
      { name: 'context', isKey: false },
    ],
  },
};
const BEGIN: Message = { kind: 'begin', finalLsn: 90n, commitTime: 7, xid: 1 };
const COMMIT: Message = { kind: 'commit', commitLsn: 90n, endLsn: 100n, commitTime: 7 };
const insert = (user: string): Message => ({
  kind: 'insert',
  relationId: 1,
  row: [user, '{}'],
});

const started = (): Assembly => {
  const assembly = createAssembly();
  for (const message of [RELATION, BEGIN]) assemble(assembly, message, 1n, 100);
  return assembly;
};

describe('assemble', () => {
  it('answers a whole transaction at its commit, with the position after it', () => {
    const assembly = started();
    expect(assemble(assembly, insert('a'), 10n, 100)).toBeUndefined();
    expect(assemble(assembly, { kind: 'other' }, 11n, 100)).toBeUndefined();
    expect(assemble(assembly, insert('b'), 12n, 100)).toBeUndefined();
    expect(assemble(assembly, COMMIT, 90n, 26)).toMatchObject({
      committedAt: 7,
      isComplete: true,
      position: '0/64',
      changes: [
        { table: 'assignments', operation: 'insert', lsn: 10n, row: { user_id: 'a' } },
        { lsn: 12n, row: { user_id: 'b', context: '{}' } },
      ],
    });
    expect(assembly.open).toBeUndefined();
  });

  it('hands on a large transaction in parts, by rows or by bytes', () => {
    for (const [bytes, rows] of [
      [10, 5_000],
      [1024 * 1024, 8],
    ] as const) {
      const assembly = started();
      const batches = Array.from({ length: 12_000 }, (_, index) =>
        assemble(assembly, insert(`u${index}`), BigInt(index), bytes),
      ).filter((batch) => batch !== undefined);
      batches.push(assemble(assembly, COMMIT, 90n, 26) ?? expect.fail('no batch'));
      expect(batches[0]).toMatchObject({ isComplete: false });
      expect(batches[0]?.changes).toHaveLength(rows);
      expect(batches.at(-1)).toMatchObject({ isComplete: true, position: '0/64' });
      expect(batches.flatMap(({ changes }) => changes)).toHaveLength(12_000);
    }
  });

  it('names what was not sent, and keeps a deletion to its key', () => {
    const assembly = started();
    assemble(
      assembly,
      { kind: 'update', relationId: 1, old: null, row: ['a', UNCHANGED] },
      10n,
      100,
    );
    assemble(assembly, { kind: 'delete', relationId: 1, old: ['a', null] }, 11n, 100);
    expect(assemble(assembly, COMMIT, 90n, 26)?.changes).toEqual([
      expect.objectContaining({ row: { user_id: 'a' }, unsent: ['context'] }),
      expect.objectContaining({ operation: 'delete', row: { user_id: 'a' }, unsent: [] }),
    ]);
  });

  it('takes an update of the key as a deletion and a new row', () => {
    const assembly = started();
    const update = (old: string, row: string): Message => ({
      kind: 'update',
      relationId: 1,
      old: [old, null],
      row: [row, '{}'],
    });
    assemble(assembly, update('a', 'b'), 10n, 100);
    assemble(assembly, update('c', 'c'), 11n, 100);
    expect(
      assemble(assembly, COMMIT, 90n, 26)?.changes.map(({ operation, row }) => [
        operation,
        row.user_id,
      ]),
    ).toEqual([
      ['delete', 'a'],
      ['update', 'b'],
      ['update', 'c'],
    ]);
  });

  it('refuses what no server sends', () => {
    const assembly = started();
    expect(() => assemble(assembly, BEGIN, 1n, 1)).toThrow(ProtocolError);
    expect(() =>
      assemble(assembly, { ...BEGIN, kind: 'truncate', relationIds: [1] }, 1n, 1),
    ).toThrow('truncated');
    expect(() => assemble(assembly, { kind: 'insert', relationId: 2, row: [] }, 1n, 1)).toThrow(
      'unknown relation 2',
    );
    expect(() => assemble(assembly, { kind: 'insert', relationId: 1, row: ['a'] }, 1n, 1)).toThrow(
      '1 values for 2 columns',
    );
    expect(() => assemble(createAssembly(), COMMIT, 1n, 1)).toThrow(ProtocolError);
  });
});
