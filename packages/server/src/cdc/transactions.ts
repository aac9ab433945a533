// From messages to batches of changes: a transaction, or its parts when it is large. No I/O.
import { formatLsn, type Lsn } from './lsn.ts';
import { type Message, ProtocolError, type Relation, type Tuple, UNCHANGED } from './pgoutput.ts';
import type { Change, ChangeBatch } from './source.ts';

/** A transaction beyond either is handed on in parts, so that memory is bounded. */
const PART_ROWS_MAX = 5_000;
const PART_BYTES_MAX = 8 * 1024 * 1024;
/** What a change costs in memory beside its text. */
const CHANGE_OVERHEAD_BYTES = 200;

/** What must be remembered between messages; thrown away with the connection. */
export interface Assembly {
  readonly relations: Map<number, Relation>;
  /** The transaction that is being received. */
  open: { commitTime: number; changes: Change[]; bytes: number } | undefined;
}

export function createAssembly(): Assembly {
  return { relations: new Map(), open: undefined };
}

/**
 * Takes one message; answers a batch when it completes a transaction or fills a part.
 *
 * @param lsn of the change itself, not of its commit: it orders the changes of one row
 * @param bytes length of the message
 */
export function assemble(
  assembly: Assembly,
  message: Message,
  lsn: Lsn,
  bytes: number,
): ChangeBatch | undefined {
  switch (message.kind) {
    case 'begin':
      if (assembly.open !== undefined) throw new ProtocolError('a transaction inside of another');
      assembly.open = { commitTime: message.commitTime, changes: [], bytes: 0 };
      return undefined;
    case 'commit':
      return close(assembly, message.commitTime, message.endLsn);
    case 'relation':
      assembly.relations.set(message.relation.id, message.relation);
      return undefined;
    case 'insert':
    case 'update':
    case 'delete':
      return add(assembly, toChanges(assembly, message, lsn), bytes);
    case 'truncate':
      // The publication leaves truncations out. With one let in, ClickHouse would go on holding
      // what is gone, so nothing goes on until the slot is dropped and everything copied anew.
      throw new Error('a captured table was truncated; drop the slot to copy all tables anew');
    case 'other':
      return undefined;
  }
}

function add(
  assembly: Assembly,
  changes: readonly Change[],
  bytes: number,
): ChangeBatch | undefined {
  const { open } = assembly;
  if (open === undefined) throw new ProtocolError('a change outside of a transaction');
  open.changes.push(...changes);
  open.bytes += bytes + CHANGE_OVERHEAD_BYTES;
  if (open.changes.length < PART_ROWS_MAX && open.bytes < PART_BYTES_MAX) return undefined;
  const part = {
    changes: open.changes,
    bytes: open.bytes,
    committedAt: open.commitTime,
    isComplete: false,
    position: '0/0',
  };
  open.changes = [];
  open.bytes = 0;
  return part;
}

function close(assembly: Assembly, committedAt: number, endLsn: Lsn): ChangeBatch {
  const { open } = assembly;
  if (open === undefined) throw new ProtocolError('a commit outside of a transaction');
  assembly.open = undefined;
  const { changes, bytes } = open;
  return { changes, bytes, committedAt, isComplete: true, position: formatLsn(endLsn) };
}

type RowMessage = Extract<Message, { kind: 'insert' | 'update' | 'delete' }>;

function toChanges(assembly: Assembly, message: RowMessage, lsn: Lsn): readonly Change[] {
  const relation = assembly.relations.get(message.relationId);
  if (relation === undefined) {
    throw new ProtocolError(`a change of the unknown relation ${message.relationId}`);
  }
  const { table } = relation;
  const change = (operation: Change['operation'], tuple: Tuple): Change => ({
    table,
    operation,
    lsn,
    ...toRow(relation, tuple, operation === 'delete'),
  });
  if (message.kind === 'insert') return [change('insert', message.row)];
  if (message.kind === 'delete') return [change('delete', message.old)];
  const { old, row } = message;
  const isMoved =
    old !== null && relation.columns.some(({ isKey }, index) => isKey && old[index] !== row[index]);
  // To a store that knows rows by their key, a new key is another row.
  return isMoved ? [change('delete', old), change('update', row)] : [change('update', row)];
}

function toRow(
  { columns }: Relation,
  tuple: Tuple,
  isKeyOnly: boolean,
): Pick<Change, 'row' | 'unsent'> {
  if (tuple.length !== columns.length) {
    throw new ProtocolError(`${tuple.length} values for ${columns.length} columns`);
  }
  const row: Record<string, string | null> = {};
  const unsent: string[] = [];
  columns.forEach(({ name, isKey }, index) => {
    const value = tuple[index];
    // Beside its key, the old row of a delete has nulls that say nothing.
    if (value === undefined || (isKeyOnly && !isKey)) return;
    if (value === UNCHANGED) unsent.push(name);
    else row[name] = value;
  });
  return { row, unsent };
}
