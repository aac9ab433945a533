import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeMessage, ProtocolError, UNCHANGED } from './pgoutput.ts';

const int16 = (value: number) => Buffer.from([value >> 8, value & 255]);
const int32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};
const int64 = (value: bigint) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(value);
  return bytes;
};
const bytes = (...parts: (string | Buffer)[]) =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)));
const column = (value: string | null | typeof UNCHANGED) => {
  if (value === null) return Buffer.from('n');
  if (value === UNCHANGED) return Buffer.from('u');
  const text = Buffer.from(value);
  return bytes('t', int32(text.length), text);
};
const tuple = (...values: (string | null | typeof UNCHANGED)[]) =>
  bytes(int16(values.length), ...values.map(column));

describe('decodeMessage', () => {
  it('reads transactions with their time in Unix microseconds', () => {
    expect(decodeMessage(bytes('B', int64(0x1_0000_0010n), int64(1n), int32(7)))).toEqual({
      kind: 'begin',
      finalLsn: 0x1_0000_0010n,
      commitTime: 946_684_800_000_001,
      xid: 7,
    });
    expect(decodeMessage(bytes('C', '\0', int64(5n), int64(6n), int64(0n)))).toMatchObject({
      kind: 'commit',
      commitLsn: 5n,
      endLsn: 6n,
    });
  });

  it('reads a relation and rows with nulls, unsent values and any text', () => {
    const relation = bytes(
      'R',
      int32(9),
      'public\0',
      'events\0',
      'd',
      int16(2),
      '\x01',
      'id\0',
      int32(23),
      int32(0),
      '\0',
      'größe\0',
      int32(25),
      int32(0),
    );
    expect(decodeMessage(relation)).toEqual({
      kind: 'relation',
      relation: {
        id: 9,
        schema: 'public',
        table: 'events',
        columns: [
          { name: 'id', isKey: true },
          { name: 'größe', isKey: false },
        ],
      },
    });
    expect(decodeMessage(bytes('I', int32(9), 'N', tuple('1', null)))).toMatchObject({
      kind: 'insert',
      row: ['1', null],
    });
    expect(
      decodeMessage(bytes('U', int32(9), 'O', tuple('1', 'a'), 'N', tuple('1', UNCHANGED))),
    ).toEqual({
      kind: 'update',
      relationId: 9,
      old: ['1', 'a'],
      row: ['1', UNCHANGED],
    });
    expect(decodeMessage(bytes('D', int32(9), 'K', tuple('1', null)))).toMatchObject({
      kind: 'delete',
    });
    fc.assert(
      fc.property(
        fc.array(fc.option(fc.string({ unit: 'grapheme' })), { maxLength: 20 }),
        (row) => {
          expect(decodeMessage(bytes('I', int32(1), 'N', tuple(...row)))).toMatchObject({ row });
        },
      ),
    );
  });

  it('refuses a message that is cut off or goes on', () => {
    const message = bytes('I', int32(9), 'N', tuple('1', null, 'text'));
    for (let length = 0; length < message.length; length++) {
      expect(() => decodeMessage(message.subarray(0, length))).toThrow(ProtocolError);
    }
    expect(() => decodeMessage(bytes(message, '\0'))).toThrow('1 bytes after the end of a insert');
  });

  it('throws a clear error for any other bytes, and never hangs', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...'BCRIUDTOYMxz'),
        fc.uint8Array({ maxLength: 200 }),
        (tag, rest) => {
          try {
            decodeMessage(bytes(tag, Buffer.from(rest)));
          } catch (error) {
            expect(error).toBeInstanceOf(ProtocolError);
          }
        },
      ),
      { numRuns: 2_000 },
    );
  });
});
