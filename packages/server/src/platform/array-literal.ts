// PostgreSQL's text of arrays (https://www.postgresql.org/docs/18/arrays.html#ARRAYS-IO). The
// driver quotes and escapes every element of an array, which for the columns of an insert of five
// hundred rows costs more than checking the rows.

/**
 * An array of values whose text needs no quotes: UUIDs, times, numbers.
 *
 * @param values without blanks, commas, braces, quotes and backslashes
 */
export const plainArray = (values: readonly (string | number | null)[]): string =>
  `{${values.map((value) => value ?? 'NULL').join(',')}}`;

const quoted = (value: string): string =>
  /["\\]/.test(value) ? `"${value.replace(/["\\]/g, '\\$&')}"` : `"${value}"`;

/** An array of any text. */
export const textArray = (values: readonly string[]): string => `{${values.map(quoted).join(',')}}`;

/**
 * An array of JSON texts. They have no control characters, so that what JSON escapes in a string is
 * what an array literal wants escaped, and the engine does it at once.
 */
export const jsonTextArray = (texts: readonly string[]): string =>
  `{${texts.map((text) => JSON.stringify(text)).join(',')}}`;
