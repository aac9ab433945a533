/** A piece of a statement that means something: no blanks, no comments. */
export interface Token {
  readonly kind: 'word' | 'quoted' | 'other';
  readonly text: string;
  readonly start: number;
  readonly end: number;
  /** How many brackets are open around it. */
  readonly depth: number;
}

// Unrolled loops: a literal of many megabytes must not exhaust the matcher's stack.
const quotedBy = (mark: string): string =>
  String.raw`${mark}[^${mark}\\]*(?:(?:\\[\s\S]|${mark}${mark})[^${mark}\\]*)*${mark}`;
const BLANK = String.raw`\s+|--[^\n]*|#[ !][^\n]*|/\*[\s\S]*?\*/`;
const HEREDOC = String.raw`\$(?<tag>\w*)\$[\s\S]*?\$\k<tag>\$`;
const QUOTED = [...[`'`, '`', '"'].map(quotedBy), HEREDOC].join('|');
const TOKEN = `(?<blank>${BLANK})|(?<quoted>${QUOTED})|(?<word>[A-Za-z_]\\w*)|\\d[\\w.]*|[\\s\\S]`;

/** The tokens of a statement, read only as far as they are asked for. */
export function* tokenise(sql: string): Generator<Token> {
  const matcher = new RegExp(TOKEN, 'y');
  let depth = 0;
  while (matcher.lastIndex < sql.length) {
    const start = matcher.lastIndex;
    const match = matcher.exec(sql);
    if (match === null) return;
    const [text] = match;
    const { blank, quoted, word } = match.groups ?? {};
    if (blank !== undefined) continue;
    if (text === ')' || text === ']' || text === '}') depth--;
    const kind = word !== undefined ? 'word' : quoted !== undefined ? 'quoted' : 'other';
    yield { kind, text, start, end: start + text.length, depth };
    if (text === '(' || text === '[' || text === '{') depth++;
  }
}

export const isWord = (token: Token | undefined, ...words: readonly string[]): boolean =>
  token?.kind === 'word' && words.includes(token.text.toUpperCase());
