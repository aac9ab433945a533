import { type ClickHouse, rowsOf } from '../../../platform/clickhouse.ts';
import type { Filter } from '../metric.ts';
import { TINY } from '../sums.ts';

/** The values of a statement while its text is written. */
export interface Parameters {
  readonly values: Readonly<Record<string, unknown>>;
  /** The placeholder of a value, with its type. */
  readonly bind: (value: unknown, type: string) => string;
}

export function makeParameters(): Parameters {
  const values: Record<string, unknown> = {};
  const bind = (value: unknown, type: string): string => {
    const name = `p${Object.keys(values).length}`;
    values[name] = value;
    return `{${name}:${type}}`;
  };
  return { values, bind };
}

/** The times and the experiment that every statement begins with. */
export interface Frame extends Parameters {
  readonly experiment: string;
  readonly start: string;
  readonly end: string;
}

export const bindTime = ({ bind }: Parameters, time: string): string =>
  bind(time.replace('T', ' ').replace('Z', ''), "DateTime64(6, 'UTC')");

// A whole number beyond 64 bits, which PostgreSQL stores like any other, makes the parser refuse the
// whole document, and with it every name in it. As a floating number it is taken; one beyond those
// becomes a list, which is no number either. Strings, which may hold digits too, are passed over as
// one piece.
const PIECES = String.raw`'"(?:[^"\\\\]|\\\\.)*"|-?[0-9]+(?:\\.[0-9]+)?|[^"0-9-]+'`;
const readable = (column: string): string =>
  `if(isValidJSON(${column}), ${column}, arrayStringConcat(arrayMap(
     piece -> multiIf(not match(piece, '^-?[0-9]{19,}'), piece,
       not isFinite(toFloat64(piece)), '[]',
       match(piece, '^-?[0-9]+$'), concat(piece, 'e0'), piece), extractAll(${column}, ${PIECES}))))`;

const NUMBERS = `('Int64', 'UInt64', 'Double')`;

/** Conditions on a column of JSON text, by type and value, as PostgreSQL compares jsonb. */
export const filterSql = (
  column: string,
  filters: readonly Filter[],
  { bind }: Parameters,
): readonly string[] =>
  filters.map(({ name, values }) => {
    const path = `${readable(column)}, ${bind(name, 'String')}`;
    const parts: string[] = [];
    const strings = values.filter((value) => typeof value === 'string');
    if (strings.length > 0) {
      parts.push(
        `(JSONType(${path}) = 'String' AND JSONExtractString(${path}) IN ${bind(strings, 'Array(String)')})`,
      );
    }
    const numbers = values.filter((value) => typeof value === 'number');
    if (numbers.length > 0) {
      // Through the same parser as the documents: that of parameters rounds differently.
      const texts = bind(
        numbers.map((value) => value.toExponential()),
        'Array(String)',
      );
      parts.push(
        `(JSONType(${path}) IN ${NUMBERS}
          AND has(arrayMap(x -> JSONExtractFloat(x), ${texts}), JSONExtractFloat(${path})))`,
      );
    }
    for (const value of values) {
      if (typeof value === 'boolean') {
        parts.push(`(JSONType(${path}) = 'Bool' AND JSONExtractBool(${path}) = ${value ? 1 : 0})`);
      }
      // JSONType says Null of what is missing, too.
      if (value === null) parts.push(`JSONType(${path}) = 'Null'`);
    }
    return `(${parts.join(' OR ')})`;
  });

/** A property as a number; null where it is none, or one beyond what events may have. */
export function numberSql(column: string, name: string, { bind }: Parameters): string {
  const path = `${readable(column)}, ${bind(name, 'String')}`;
  const number = `JSONExtractFloat(${path})`;
  return `multiIf(JSONType(${path}) NOT IN ${NUMBERS} OR abs(${number}) > 1e30, NULL,
    abs(${number}) < ${TINY}, 0., ${number})`;
}

/**
 * The text of a scalar attribute. Numbers only where both stores write them alike, without an
 * exponent.
 */
export function scalarSql(column: string, name: string, { bind }: Parameters): string {
  const path = `${readable(column)}, ${bind(name, 'String')}`;
  const number = `JSONExtractFloat(${path})`;
  return `CAST(multiIf(JSONType(${path}) = 'String', JSONExtractString(${path}),
    JSONType(${path}) = 'Bool', if(JSONExtractBool(${path}), 'true', 'false'),
    JSONType(${path}) NOT IN ${NUMBERS}, NULL,
    ${number} = 0, '0',
    abs(${number}) >= 1e-4 AND abs(${number}) < 1e15, toString(${number}), NULL) AS Nullable(String))`;
}

const UNITS: Readonly<Record<string, string>> = {
  minute: 'toStartOfMinute',
  hour: 'toStartOfHour',
  day: 'toStartOfDay',
};

/** The beginning of a bucket, in seconds since the epoch. */
export const startOf = (column: string, bucket: string): string =>
  `toFloat64(toUnixTimestamp(${UNITS[bucket]}(${column}, 'UTC')))`;

// In the statement, never in the client's settings: on the embedded engine they would stay. The time
// ends before the client's, so that no statement outlives its caller.
const SETTINGS = `SETTINGS do_not_merge_across_partitions_select_final = 1, max_execution_time = 25,
  output_format_json_quote_denormals = 1, join_use_nulls = 0`;

export const withSettings = (select: string): string => `${select} ${SETTINGS}`;

/** The rows of a statement. @throws ClickHouseFailure */
export const askRows = <Row>(
  clickhouse: ClickHouse,
  query: string,
  { values }: Parameters,
): Promise<readonly Row[]> => rowsOf(clickhouse, { query, query_params: values });
