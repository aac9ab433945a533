import type { Column } from '../plan.ts';
import type { Question } from '../question.ts';
import { and, type Frame, filterSql, numberSql } from './sql.ts';

const micros = (frame: Frame, count: number): string =>
  `${frame.bind(count, 'float8')} * interval '1 microsecond'`;

const isAfter = ({ start }: Frame): string => `e.ts >= u.assigned_at AND e.ts >= ${start}`;

/** What of an event goes into a column, null where it does not: `events e` joined with `users u`. */
export function columnSql(column: Column, question: Question, frame: Frame): string {
  const { types, filters, aggregate, property, from, to, before } = column;
  const conditions = filterSql('e.properties', filters, frame);
  const time =
    before === null
      ? [
          isAfter(frame),
          ...(from === null ? [] : [`e.ts >= u.assigned_at + ${micros(frame, from)}`]),
          ...(to === null ? [] : [`e.ts < u.assigned_at + ${micros(frame, to)}`]),
        ]
      : [
          'e.ts < u.assigned_at',
          `e.ts >= u.assigned_at - ${micros(frame, before)}`,
          `e.ts >= ${frame.bind(question.retentionFloor, 'timestamptz')}`,
        ];
  const type = types === undefined ? [] : [`e.type = ANY (${frame.bind(types, 'text[]')})`];
  const value =
    property === null ? 'e.value' : numberSql(`(e.properties -> ${frame.bind(property, 'text')})`);
  return `CASE WHEN ${and([...type, ...time, ...conditions])}
    THEN ${aggregate === 'count' ? '1' : value} END`;
}

/** Which events a statement reads. */
export interface Scan {
  /** Undefined: of all types. */
  readonly types: readonly string[] | undefined;
  /** The longest time before the assignment that is looked at, in microseconds; 0: none. */
  readonly before: number;
}

/**
 * From the events that may count, `e`, with their users, `u`. Partitions are pruned by the beginning
 * of what is asked for; covariates may lie before it, as early as the first assignment allows.
 */
export function fromEvents(question: Question, frame: Frame, { types, before }: Scan): string {
  const conditions = [
    `e.ts <= ${frame.end}`,
    `(e.experiment_id IS NULL OR e.experiment_id = ${frame.experiment})`,
    ...(types === undefined ? [] : [`e.type = ANY (${frame.bind(types, 'text[]')})`]),
    ...filterSql('e.properties', question.propertyFilters, frame),
  ];
  const time =
    before === 0
      ? [isAfter(frame)]
      : [
          `e.ts >= greatest(${frame.bind(question.retentionFloor, 'timestamptz')}, least(${frame.start},
             (SELECT min(assigned_at) FROM users) - ${micros(frame, before)}))`,
          `e.ts >= u.assigned_at - ${micros(frame, before)}`,
        ];
  return `FROM events e JOIN users u ON u.user_id = e.user_id WHERE ${and([...time, ...conditions])}`;
}

/** Whether the event is one that counts after the assignment. */
export const isAfterSql = isAfter;
