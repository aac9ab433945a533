import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatLsn, parseLsn, rowVersion } from './lsn.ts';
import { decodeMessage, ProtocolError, UNCHANGED } from './pgoutput.ts';
import type { Change } from './source.ts';
import { toRow } from './steps/to-row.ts';

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

describe('an LSN', () => {
  it('is read and written as PostgreSQL does', () => {
    expect(parseLsn('16/B374D848')).toBe(0x16b374d848n);
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), (lsn) => {
        expect(parseLsn(formatLsn(lsn))).toBe(lsn);
      }),
    );
    expect(() => parseLsn('16')).toThrow(SyntaxError);
  });

  it('makes a version that a later epoch always beats', () => {
    expect(rowVersion(2, 0n)).toBeGreaterThan(rowVersion(1, (1n << 48n) - 1n));
    expect(() => rowVersion(1, 1n << 48n)).toThrow(RangeError);
  });
});

describe('toRow', () => {
  const event: Change = {
    table: 'events',
    operation: 'insert',
    lsn: 5n,
    unsent: [],
    row: {
      event_id: '550e8400-e29b-41d4-a716-446655440000',
      type: 'kauf "🛒"',
      user_id: "o'neil\\",
      ts: '2026-01-05 10:00:00.123456+00',
      value: '0.1',
      properties: '{"a": 12345678901234567890}',
      experiment_id: null,
      received_at: '2026-01-05 10:00:00+00',
    },
  };

  it('passes digits and JSON through unchanged', () => {
    const step = toRow(event, 1);
    if (step.kind !== 'row') throw new Error(step.kind);
    expect(step.line).toContain('"value":0.1,');
    expect(step.line).toContain('"_version":281474976710661,');
    expect(JSON.parse(step.line)).toMatchObject({
      type: 'kauf "🛒"',
      user_id: "o'neil\\",
      ts: '2026-01-05T10:00:00.123456Z',
      properties: '{"a": 12345678901234567890}',
      experiment_id: null,
    });
  });

  it('sets aside what has no place, and drops the heartbeat', () => {
    expect(toRow({ ...event, row: { ...event.row, value: 'NaN' } }, 1).kind).toBe('dead_letter');
    expect(toRow({ ...event, unsent: ['properties'] }, 1).kind).toBe('dead_letter');
    expect(toRow({ ...event, operation: 'delete' }, 1).kind).toBe('dead_letter');
    expect(toRow({ ...event, table: 'other' }, 1).kind).toBe('dead_letter');
    expect(toRow({ ...event, table: 'cdc_heartbeat' }, 1).kind).toBe('drop');
    const { type: _, ...rest } = event.row;
    expect(toRow({ ...event, row: rest }, 1)).toMatchObject({ reason: 'column type is missing' });
  });

  it('carries a deletion as its key alone', () => {
    const step = toRow(
      {
        table: 'assignments',
        operation: 'delete',
        lsn: 9n,
        unsent: [],
        row: { experiment_id: '1', user_id: 'u' },
      },
      1,
    );
    expect(step.kind === 'row' && JSON.parse(step.line)).toMatchObject({
      experiment_id: 1,
      user_id: 'u',
      _deleted: 1,
    });
  });
});
