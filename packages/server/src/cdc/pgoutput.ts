// Decoder of pgoutput, protocol version 1, text format. Pure: bytes in, a message out.
// https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html
import type { Lsn } from './lsn.ts';

/** A table as the stream describes it before its first change, and after every DDL. */
export interface Relation {
  readonly id: number;
  readonly schema: string;
  readonly table: string;
  readonly columns: readonly { readonly name: string; readonly isKey: boolean }[];
}

/** Column values as PostgreSQL's text; `unchanged` stands for an out-of-line value not sent. */
export type Tuple = readonly (string | null | typeof UNCHANGED)[];
export const UNCHANGED = Symbol('unchanged');

export type Message =
  /** `commitTime` in microseconds since the Unix epoch. */
  | {
      readonly kind: 'begin';
      readonly finalLsn: Lsn;
      readonly commitTime: number;
      readonly xid: number;
    }
  | {
      readonly kind: 'commit';
      readonly commitLsn: Lsn;
      readonly endLsn: Lsn;
      readonly commitTime: number;
    }
  | { readonly kind: 'relation'; readonly relation: Relation }
  | { readonly kind: 'insert'; readonly relationId: number; readonly row: Tuple }
  | {
      readonly kind: 'update';
      readonly relationId: number;
      readonly old: Tuple | null;
      readonly row: Tuple;
    }
  | { readonly kind: 'delete'; readonly relationId: number; readonly old: Tuple }
  | { readonly kind: 'truncate'; readonly relationIds: readonly number[] }
  /** Origin, Type and logical messages: nothing that is stored. */
  | { readonly kind: 'other' };

/** Bytes that are not a message of the protocol. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
}

/** From the Unix epoch to PostgreSQL's, 2000-01-01. */
export const POSTGRES_EPOCH_MICROS = 946_684_800_000_000;

/** A place in the bytes that moves forward as it is read. */
interface Reader {
  readonly bytes: Buffer;
  at: number;
}

function take(reader: Reader, length: number): number {
  const { at } = reader;
  if (length < 0 || at + length > reader.bytes.length) {
    throw new ProtocolError(`a message of ${reader.bytes.length} bytes ends too early at ${at}`);
  }
  reader.at += length;
  return at;
}

const int8 = (reader: Reader): number => reader.bytes.readUInt8(take(reader, 1));
const int16 = (reader: Reader): number => reader.bytes.readUInt16BE(take(reader, 2));
const int32 = (reader: Reader): number => reader.bytes.readInt32BE(take(reader, 4));
const uint32 = (reader: Reader): number => reader.bytes.readUInt32BE(take(reader, 4));
const lsn = (reader: Reader): Lsn => reader.bytes.readBigUInt64BE(take(reader, 8));
const time = (reader: Reader): number =>
  Number(reader.bytes.readBigInt64BE(take(reader, 8))) + POSTGRES_EPOCH_MICROS;

function text(reader: Reader): string {
  const end = reader.bytes.indexOf(0, reader.at);
  if (end === -1) throw new ProtocolError('a text without its end');
  const value = reader.bytes.toString('utf8', reader.at, end);
  reader.at = end + 1;
  return value;
}

const letter = (reader: Reader): string => String.fromCharCode(int8(reader));

/** @throws ProtocolError for bytes that are not one whole message */
export function decodeMessage(bytes: Buffer): Message {
  const reader: Reader = { bytes, at: 0 };
  const message = readMessage(reader);
  if (message.kind !== 'other' && reader.at !== bytes.length) {
    throw new ProtocolError(`${bytes.length - reader.at} bytes after the end of a ${message.kind}`);
  }
  return message;
}

function readMessage(reader: Reader): Message {
  const tag = letter(reader);
  switch (tag) {
    case 'B':
      return {
        kind: 'begin',
        finalLsn: lsn(reader),
        commitTime: time(reader),
        xid: uint32(reader),
      };
    case 'C':
      take(reader, 1); // flags, none defined
      return {
        kind: 'commit',
        commitLsn: lsn(reader),
        endLsn: lsn(reader),
        commitTime: time(reader),
      };
    case 'R':
      return { kind: 'relation', relation: readRelation(reader) };
    case 'I': {
      const relationId = uint32(reader);
      expectLetter(reader, 'N');
      return { kind: 'insert', relationId, row: readTuple(reader) };
    }
    case 'U':
      return readUpdate(reader);
    case 'D': {
      const relationId = uint32(reader);
      const kind = letter(reader);
      if (kind !== 'K' && kind !== 'O')
        throw new ProtocolError(`delete with a tuple of kind ${kind}`);
      return { kind: 'delete', relationId, old: readTuple(reader) };
    }
    case 'T': {
      const count = uint32(reader);
      take(reader, 1); // CASCADE and RESTART IDENTITY
      if (count * 4 > reader.bytes.length) throw new ProtocolError(`truncate of ${count} tables`);
      return { kind: 'truncate', relationIds: Array.from({ length: count }, () => uint32(reader)) };
    }
    case 'O':
    case 'Y':
    case 'M':
      return { kind: 'other' };
    default:
      throw new ProtocolError(`unknown message ${JSON.stringify(tag)}`);
  }
}

function expectLetter(reader: Reader, expected: string): void {
  const found = letter(reader);
  if (found !== expected)
    throw new ProtocolError(`${JSON.stringify(found)} instead of ${expected}`);
}

function readRelation(reader: Reader): Relation {
  const id = uint32(reader);
  const schema = text(reader);
  const table = text(reader);
  take(reader, 1); // replica identity
  const columns = Array.from({ length: int16(reader) }, () => {
    const isKey = (int8(reader) & 1) === 1;
    const name = text(reader);
    take(reader, 8); // type and its modifier: all values are text here
    return { name, isKey };
  });
  return { id, schema, table, columns };
}

function readUpdate(reader: Reader): Message {
  const relationId = uint32(reader);
  const kind = letter(reader);
  if (kind === 'N') return { kind: 'update', relationId, old: null, row: readTuple(reader) };
  if (kind !== 'K' && kind !== 'O') throw new ProtocolError(`update with a tuple of kind ${kind}`);
  const old = readTuple(reader);
  expectLetter(reader, 'N');
  return { kind: 'update', relationId, old, row: readTuple(reader) };
}

function readTuple(reader: Reader): Tuple {
  return Array.from({ length: int16(reader) }, () => {
    const kind = letter(reader);
    switch (kind) {
      case 'n':
        return null;
      case 'u':
        return UNCHANGED;
      case 't': {
        const length = int32(reader);
        const start = take(reader, length);
        return reader.bytes.toString('utf8', start, start + length);
      }
      default:
        throw new ProtocolError(`a column of kind ${JSON.stringify(kind)}`);
    }
  });
}
