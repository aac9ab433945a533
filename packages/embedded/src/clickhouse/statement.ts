// What the endpoint must know of a statement, from its text alone.

/** Statements that only read; everything else goes to the one writing connection. */
export function isReadOnly(sql: string): boolean {
  return /^(select|with|show|describe|desc|exists|explain|values)\b/i.test(stripLeading(sql));
}

/** Without the comments and blanks in front. */
function stripLeading(sql: string): string {
  return sql.replace(/^(?:\s+|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/|\()+/, '');
}

/** The name after the last FORMAT of the statement, undefined if there is none. */
export function formatOf(sql: string): string | undefined {
  return /\bformat\s+([a-z0-9]+)\s*(?:settings\s[^']*)?;?\s*$/i.exec(sql)?.[1];
}

/** Formats whose output may be sent piece by piece: one row a line, no header and no end. */
const STREAMABLE = new Set(['JSONEachRow', 'JSONCompactEachRow', 'TabSeparated', 'TSV', 'CSV']);

export const isStreamable = (format: string): boolean => STREAMABLE.has(format);

/** An SQL string literal. */
export function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

/** Names of the typed parameters `{name:Type}` that a statement uses. */
export function parameterNames(sql: string): readonly string[] {
  return [...sql.matchAll(/\{\s*([A-Za-z_]\w*)\s*:/g)].map((match) => match[1] ?? '');
}

/** Content-Type of an output format, as ClickHouse's own server says it. */
export function contentType(format: string): string {
  if (format.startsWith('JSONEachRow') || format.startsWith('JSONCompactEachRow')) {
    return 'application/x-ndjson; charset=UTF-8';
  }
  if (format.startsWith('JSON')) return 'application/json; charset=UTF-8';
  if (format.startsWith('CSV')) return 'text/csv; charset=UTF-8';
  return 'text/tab-separated-values; charset=UTF-8';
}

/** The engine's error number in a message such as `Code: 60. DB::Exception: …`. */
export function errorCode(message: string): number | undefined {
  const match = /Code:\s*(\d+)/.exec(message);
  return match === null ? undefined : Number(match[1]);
}

/** HTTP status of an engine error, as ClickHouse's own server maps it. */
export function statusOf(code: number | undefined): number {
  switch (code) {
    case 60: // UNKNOWN_TABLE
    case 81: // UNKNOWN_DATABASE
    case 36: // BAD_ARGUMENTS
      return code === 36 ? 400 : 404;
    case 516: // AUTHENTICATION_FAILED
      return 403;
    case 62: // SYNTAX_ERROR
    case 6: // CANNOT_PARSE_TEXT
    case 26: // CANNOT_PARSE_QUOTED_STRING
    case 27: // CANNOT_PARSE_INPUT_ASSERTION_FAILED
    case 53: // TYPE_MISMATCH
    case 47: // UNKNOWN_IDENTIFIER
    case 46: // UNKNOWN_FUNCTION
    case 115: // UNKNOWN_SETTING
    case 117: // INCORRECT_DATA
    case 456: // UNKNOWN_QUERY_PARAMETER
      return 400;
    case 202: // TOO_MANY_SIMULTANEOUS_QUERIES
      return 503;
    default:
      return 500;
  }
}
