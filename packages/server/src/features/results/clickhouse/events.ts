import type { Column } from '../plan.ts';
import type { Question } from '../question.ts';
import { and } from '../sql-lists.ts';
import { bindTime, type Frame, filterSql, numberSql } from './sql.ts';
import { usersSql } from './users.ts';

const micros = (frame: Frame, count: number): string =>
  `toIntervalMicrosecond(${frame.bind(count, 'Int64')})`;

const isAfter = ({ start }: Frame): string => `e.ts >= u.assigned_at AND e.ts >= ${start}`;

/** Whether an event belongs to a column, of `events AS e` joined with users `u`. */
export function conditionSql(column: Column, question: Question, frame: Frame): string {
  const { types, filters, from, to, before } = column;
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
          `e.ts >= ${bindTime(frame, question.retentionFloor)}`,
        ];
  const type = types === undefined ? [] : [`e.type IN ${frame.bind(types, 'Array(String)')}`];
  return and([...type, ...time, ...filterSql('e.properties', filters, frame)]);
}

/** The value that a column means; null where there is none. */
export const valueSql = ({ property }: Column, frame: Frame): string =>
  property === null ? 'e.value' : numberSql('e.properties', property, frame);

/** What an event adds to a column. */
export function columnSql(column: Column, question: Question, frame: Frame): string {
  const condition = conditionSql(column, question, frame);
  const value = valueSql(column, frame);
  switch (column.aggregate) {
    case 'count':
      return `if(${condition}, 1., 0.)`;
    case 'valued':
      return `if(${condition} AND ${value} IS NOT NULL, 1., 0.)`;
    case 'sum':
      return `if(${condition}, ifNull(${value}, 0.), 0.)`;
  }
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
  const users = usersSql(question, frame);
  const conditions = [
    `e.ts <= ${frame.end}`,
    `(e.experiment_id IS NULL OR e.experiment_id = ${frame.experiment})`,
    ...(types === undefined ? [] : [`e.type IN ${frame.bind(types, 'Array(String)')}`]),
    ...filterSql('e.properties', question.propertyFilters, frame),
  ];
  const time =
    before === 0
      ? [isAfter(frame)]
      : [
          `e.ts >= greatest(${bindTime(frame, question.retentionFloor)}, least(${frame.start},
             (SELECT min(assigned_at) - ${micros(frame, before)} FROM (${users}))))`,
          `e.ts >= u.assigned_at - ${micros(frame, before)}`,
        ];
  return `FROM events AS e FINAL INNER JOIN (${users}) AS u ON e.user_id = u.user_id
    WHERE ${and([...time, ...conditions])}`;
}
