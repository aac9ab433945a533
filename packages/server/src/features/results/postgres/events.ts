import { type Column, unionOfTypes } from '../plan.ts';
import type { Question } from '../question.ts';
import { and } from '../sql-lists.ts';
import { type Frame, filterSql, numberSql } from './sql.ts';

const micros = (frame: Frame, count: number): string =>
  `${frame.bind(count, 'float8')} * interval '1 microsecond'`;

const isOfTypes = (types: readonly string[] | undefined, frame: Frame): readonly string[] =>
  types === undefined ? [] : [`e.type = ANY (${frame.bind(types, 'text[]')})`];

/** Whether one of {@link Events} lies after the assignment, and not only before it. */
export const isAfterSql = ({ start }: Frame): string =>
  `e.ts >= e.assigned_at AND e.ts >= ${start}`;

/** What a statement reads. */
export interface Scan {
  /** What is asked of each event. */
  readonly columns: readonly Column[];
  /** Undefined: events of all types. */
  readonly types: readonly string[] | undefined;
  /** Events from here on, RFC 3339; null: from the question's start. */
  readonly from: string | null;
}

export interface Events {
  /** A table expression with number, variant_id, assigned_at, ts, type and value: to be named `e`. */
  readonly sql: string;
  /** What of an event `e` goes into a column, null where it does not. */
  readonly columnSql: (column: Column) => string;
}

/** What columns ask of the documents of events: conditions and numbers, each named. */
function documentParts(columns: readonly Column[], frame: Frame) {
  const names = new Map<string, string>();
  const parts: string[] = [];
  const keysOf = ({ filters, property }: Column) => ({
    filters: filters.length === 0 ? null : JSON.stringify(filters),
    number: property === null ? null : JSON.stringify([property]),
  });
  const add = (key: string, users: readonly Column[], sqlOf: () => string): void => {
    if (names.has(key)) return;
    const name = `p${names.size}`;
    names.set(key, name);
    const sql = sqlOf();
    // Not looked up where the type already says that nobody asks.
    const types = isOfTypes(unionOfTypes(users.map((column) => column.types)), frame);
    parts.push(
      `${types.length === 0 ? sql : `CASE WHEN ${and(types)} THEN ${sql} END`} AS ${name}`,
    );
  };
  for (const column of columns) {
    const { filters, number } = keysOf(column);
    if (filters !== null) {
      const users = columns.filter((other) => keysOf(other).filters === filters);
      add(filters, users, () => and(filterSql('e.properties', column.filters, frame)));
    }
    if (number !== null) {
      const users = columns.filter((other) => keysOf(other).number === number);
      add(number, users, () =>
        numberSql(`(e.properties -> ${frame.bind(column.property, 'text')})`),
      );
    }
  }
  const nameOf = (key: string | null): string | undefined =>
    key === null ? undefined : names.get(key);
  return {
    parts,
    filterOf: (column: Column) => nameOf(keysOf(column).filters),
    numberOf: (column: Column) => nameOf(keysOf(column).number),
  };
}

/** The events that may count, with their users, of the expression `users`. */
export function eventsOf(question: Question, frame: Frame, scan: Scan): Events {
  const { columns, types, from } = scan;
  const before = Math.max(0, ...columns.map((column) => column.before ?? 0));
  const { parts, filterOf, numberOf } = documentParts(columns, frame);
  const conditions = [
    `e.ts >= ${from === null ? frame.start : frame.bind(from, 'timestamptz')}`,
    `e.ts <= ${frame.end}`,
    before === 0 ? 'e.ts >= u.assigned_at' : `e.ts >= u.assigned_at - ${micros(frame, before)}`,
    `(e.experiment_id IS NULL OR e.experiment_id = ${frame.experiment})`,
    ...isOfTypes(types, frame),
    ...filterSql('e.properties', question.propertyFilters, frame),
  ];
  // The offset keeps documents from being looked into at every mention of a part.
  const sql = `(SELECT ${['u.number, u.variant_id, u.assigned_at, e.ts, e.type, e.value', ...parts].join(', ')}
    FROM events e JOIN users u ON u.user_id = e.user_id
    WHERE ${and(conditions)} ${parts.length === 0 ? '' : 'OFFSET 0'})`;
  const columnSql = (column: Column): string => {
    const filter = filterOf(column);
    const all = [
      ...isOfTypes(column.types, frame),
      ...timeOf(column, question, frame),
      ...(filter === undefined ? [] : [`e.${filter}`]),
    ];
    const value = column.property === null ? 'e.value' : `e.${numberOf(column)}`;
    return `CASE WHEN ${and(all)} THEN ${column.aggregate === 'count' ? '1' : value} END`;
  };
  return { sql, columnSql };
}

/** When the events of a column are. */
const timeOf = (
  { from, to, before }: Column,
  { retentionFloor }: Question,
  frame: Frame,
): readonly string[] =>
  before === null
    ? [
        isAfterSql(frame),
        ...(from === null ? [] : [`e.ts >= e.assigned_at + ${micros(frame, from)}`]),
        ...(to === null ? [] : [`e.ts < e.assigned_at + ${micros(frame, to)}`]),
      ]
    : [
        'e.ts < e.assigned_at',
        `e.ts >= e.assigned_at - ${micros(frame, before)}`,
        `e.ts >= ${frame.bind(retentionFloor, 'timestamptz')}`,
      ];
