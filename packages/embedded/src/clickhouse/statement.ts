// What the endpoint must know of a statement, from its text alone.
import { engineError } from './engine-error.ts';
import { isWord, type Token, tokenise } from './tokens.ts';

export interface Statement {
  /** `read` runs on one of the reading connections, all else on the one that writes. */
  readonly kind: 'read' | 'insert' | 'command';
  /** The first word, in capitals. */
  readonly verb: string;
  /** The statement without a closing semicolon, and without the rows of an INSERT … FORMAT. */
  readonly sql: string;
  /** The rows behind INSERT … FORMAT, as far as they stand in the text; undefined without FORMAT. */
  readonly rows: string | undefined;
  readonly format: string | undefined;
  /** Names of the typed parameters `{name:Type}`. */
  readonly parameters: readonly string[];
  /** Where `name = value, ` may be put behind a SETTINGS that is there already. */
  readonly settingsAt: number | undefined;
  /** Where an INSERT's source begins: a new SETTINGS goes in front of it. */
  readonly sourceAt: number | undefined;
}

const READING = [
  'SELECT',
  'WITH',
  'SHOW',
  'DESCRIBE',
  'DESC',
  'EXISTS',
  'EXPLAIN',
] as const satisfies readonly string[];

/** @throws EngineError for what the endpoint does not run at all */
export function readStatement(text: string): Statement {
  const { tokens, insertAt, parameters, end } = scan(text);
  const verb = tokens.find(({ text: word }) => word !== '(')?.text.toUpperCase();
  if (verb === undefined) throw engineError(62, 'SYNTAX_ERROR', 'Empty query.');
  refuse(verb, tokens);
  if (insertAt >= 0) return { kind: 'insert', verb, parameters, ...readInsert(text, tokens, end) };
  const isRead = READING.some((word) => word === verb);
  return {
    kind: isRead ? 'read' : 'command',
    verb,
    parameters,
    sql: text.slice(0, end),
    rows: undefined,
    sourceAt: undefined,
    ...readTail(tokens),
  };
}

interface Scan {
  /** Without those behind VALUES, which may be many. */
  readonly tokens: readonly Token[];
  /** Index of the INSERT; -1 for any other statement. */
  readonly insertAt: number;
  readonly parameters: readonly string[];
  /** Where the statement ends, before a closing semicolon. */
  readonly end: number;
}

function scan(text: string): Scan {
  const tokens: Token[] = [];
  const parameters: string[] = [];
  let insertAt = -1;
  let isKept = true;
  let last: Token | undefined;
  let beforeLast: Token | undefined;
  let end = 0;
  for (const token of tokenise(text)) {
    if (last?.text === ';' && last.depth === 0) {
      throw engineError(62, 'SYNTAX_ERROR', 'Multi-statements are not allowed.');
    }
    const isTop = token.depth === 0;
    if (!(isTop && token.text === ';')) end = token.end;
    if (token.text === ':' && last?.kind === 'word' && beforeLast?.text === '{') {
      parameters.push(last.text);
    }
    beforeLast = last;
    last = token;
    if (!isKept || (isTop && token.text === ';')) continue;
    tokens.push(token);
    const isFirst = tokens.length === 1 || isWord(tokens[0], 'WITH');
    if (isTop && isFirst && isWord(token, 'INSERT')) insertAt = tokens.length - 1;
    if (insertAt < 0) continue;
    // What follows are rows, not SQL.
    if (startsRows(tokens, insertAt)) break;
    if (isTop && isWord(token, 'VALUES') && !hasSelect(tokens, insertAt)) isKept = false;
  }
  return { tokens, insertAt, parameters, end };
}

const hasSelect = (tokens: readonly Token[], insertAt: number): boolean =>
  tokens.slice(insertAt).some((token) => token.depth === 0 && isWord(token, 'SELECT'));

/** Whether the last two tokens are FORMAT and a name, and the INSERT has no other source before. */
function startsRows(tokens: readonly Token[], insertAt: number): boolean {
  const word = tokens.at(-2);
  if (tokens.at(-1)?.kind !== 'word' || word?.depth !== 0 || !isWord(word, 'FORMAT')) return false;
  if (isWord(tokens.at(-3), 'INTO', 'TABLE')) return false;
  return !hasSelect(tokens, insertAt);
}

function readInsert(
  text: string,
  tokens: readonly Token[],
  end: number,
): Omit<Statement, 'kind' | 'verb' | 'parameters'> {
  const last = tokens.at(-1);
  const keyword = tokens.at(-2);
  const top = tokens.filter(({ depth }) => depth === 0);
  const settings = top.find((token) => isWord(token, 'SETTINGS'));
  const source = top.find((token) => isWord(token, 'SELECT', 'VALUES'));
  if (source === undefined && last !== undefined && keyword !== undefined) {
    if (isWord(keyword, 'FORMAT')) {
      return {
        sql: text.slice(0, last.end),
        rows: text.slice(last.end).replace(/^[ \t\r]*\n?/, ''),
        format: last.text,
        settingsAt: settings?.end,
        sourceAt: keyword.start,
      };
    }
  }
  const isBefore = settings !== undefined && settings.start < (source?.start ?? 0);
  return {
    sql: text.slice(0, end),
    rows: undefined,
    format: undefined,
    settingsAt: isBefore ? settings.end : undefined,
    sourceAt: source?.start,
  };
}

/** FORMAT and SETTINGS at the end of a statement that answers something. */
function readTail(tokens: readonly Token[]): Pick<Statement, 'format' | 'settingsAt'> {
  for (let at = tokens.length - 2; at > 0; at--) {
    const [word, name, next] = tokens.slice(at, at + 3);
    if (word?.depth !== 0 || !isWord(word, 'FORMAT') || name?.kind !== 'word') continue;
    if (next !== undefined && !isWord(next, 'SETTINGS')) continue;
    return { format: name.text, settingsAt: next?.end };
  }
  return { format: undefined, settingsAt: undefined };
}

function refuse(verb: string, tokens: readonly Token[]): void {
  if (verb === 'SET' || verb === 'USE') {
    // It would stay on a connection that the next caller gets.
    throw engineError(
      48,
      'NOT_IMPLEMENTED',
      `${verb} is not supported over HTTP; put settings into the statement, and the database into the URL.`,
    );
  }
  const writesFile = tokens.some(
    (token, at) => isWord(token, 'INTO') && isWord(tokens[at + 1], 'OUTFILE'),
  );
  if (writesFile) {
    throw engineError(48, 'NOT_IMPLEMENTED', 'INTO OUTFILE is not supported over HTTP.');
  }
}

const SETTABLE = ['CREATE', 'ALTER', 'DROP', 'TRUNCATE', 'RENAME', 'OPTIMIZE'];

/**
 * The statement with further settings in its SETTINGS clause; those that it gives itself win.
 * They go into the text because the engine keeps a `SET` on the connection.
 *
 * @param clauses as `name = value`
 * @param format of the answer, unless the statement names one
 */
export function withSettings(
  statement: Statement,
  clauses: readonly string[],
  format: string,
): string {
  const { kind, verb, sql, settingsAt, sourceAt } = statement;
  if (clauses.length === 0) return sql;
  const list = clauses.join(', ');
  if (settingsAt !== undefined) {
    return `${sql.slice(0, settingsAt)} ${list},${sql.slice(settingsAt)}`;
  }
  if (kind === 'insert') {
    if (sourceAt === undefined) return sql;
    return `${sql.slice(0, sourceAt)}SETTINGS ${list} ${sql.slice(sourceAt)}`;
  }
  if (kind === 'command' && !SETTABLE.includes(verb)) {
    throw engineError(48, 'NOT_IMPLEMENTED', `${verb} takes no settings from the URL.`);
  }
  const tail = statement.format === undefined ? `\nFORMAT ${format}` : '';
  return `${sql}${tail}\nSETTINGS ${list}`;
}

/** Formats of rows, one a line: any number of whole lines is a valid body of its own. */
const LINE_BY_LINE = new Set([
  'JSONEachRow',
  'JSONLines',
  'NDJSON',
  'JSONStringsEachRow',
  'JSONCompactEachRow',
  'JSONCompactStringsEachRow',
  'TabSeparated',
  'TSV',
]);

export const isLineByLine = (format: string): boolean => LINE_BY_LINE.has(format);

/** Formats without header and end whose rows may hold line breaks. */
const BARE_ROWS = new Set(['TabSeparatedRaw', 'TSVRaw', 'CSV']);

/** Whether the output may be sent piece by piece: rows alone, no header and no end. */
export const isStreamable = (format: string): boolean =>
  isLineByLine(format) || BARE_ROWS.has(format);

/** Formats that are text throughout; the engine mangles the bytes of others on their way in. */
export const isText = (format: string): boolean => /^(JSON|NDJSON|CSV|TSV|TabSep)/.test(format);

/** Content-Type of an output format, as ClickHouse's own server says it. */
export function contentType(format: string): string {
  if (isStreamable(format) && /JSON/.test(format)) return 'application/x-ndjson; charset=UTF-8';
  if (format.startsWith('JSON')) return 'application/json; charset=UTF-8';
  if (format.startsWith('CSV')) return 'text/csv; charset=UTF-8';
  if (format.startsWith('TSV') || format.startsWith('Tab')) {
    return 'text/tab-separated-values; charset=UTF-8';
  }
  return 'application/octet-stream';
}
