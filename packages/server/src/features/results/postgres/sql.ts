import { must } from '../../../errors.ts';
import type { Db } from '../../../platform/postgres.ts';
import type { Filter } from '../metric.ts';
import { TINY } from '../sums.ts';

/** The values of a statement while its text is written. */
export interface Parameters {
  readonly values: readonly unknown[];
  /** The placeholder of a value, with its type. */
  readonly bind: (value: unknown, type: string) => string;
}

export function makeParameters(): Parameters {
  const values: unknown[] = [];
  return { values, bind: (value, type) => `$${values.push(value)}::${type}` };
}

/** The times and the experiment that every statement begins with. */
export interface Frame extends Parameters {
  readonly experiment: string;
  readonly start: string;
  readonly end: string;
}

/** Conditions on a jsonb column. `@>`-free, so that 1 and 1.0 are equal and "1" is another. */
export const filterSql = (
  column: string,
  filters: readonly Filter[],
  { bind }: Parameters,
): readonly string[] =>
  filters.map(({ name, values: wanted }) => {
    const attribute = `${column} -> ${bind(name, 'text')}`;
    const texts = wanted.map((value) => JSON.stringify(value));
    const isOneOf = `${attribute} = ANY (${bind(texts, 'jsonb[]')})`;
    return wanted.includes(null) ? `(${isOneOf} OR ${attribute} IS NULL)` : isOneOf;
  });

/** The largest decimal that is 1e30 in floating point, beyond which events may have no value. */
const LARGEST = '1000000000000000090253369016320';

/**
 * A jsonb value as a number; null where it is none, or too large. Compared as a decimal, since a
 * conversion out of range is an error.
 */
export const numberSql = (json: string): string => `CASE jsonb_typeof(${json}) WHEN 'number' THEN
  CASE WHEN abs((${json})::numeric) <= ${LARGEST} THEN
    CASE WHEN abs((${json})::numeric) >= ${TINY} THEN (${json})::float8 ELSE 0 END
  END END`;

/** Beginnings of minutes, hours and days are the same everywhere in UTC. */
export const bucketOf = (column: string, bucket: string): string =>
  `date_bin('1 ${bucket}', ${column}, '2000-01-01T00:00:00Z'::timestamptz)`;

export const seconds = (column: string): string => `extract(epoch FROM ${column})::float8`;

/** Numbers of one row as one value. */
export const arrayOf = (parts: readonly string[]): string => `ARRAY[${parts.join(', ')}]::float8[]`;

/** All rows of a select as one JSON value. */
export const allRows = (select: string): string =>
  `(SELECT coalesce(json_agg(to_json(r)), '[]') FROM (${select}) AS r)`;

/** Has the statements of a transaction join whole sets. */
export async function planForSets(tx: Db): Promise<void> {
  await tx.query(`SET LOCAL work_mem = '128MB'`);
  // A planner without fresh statistics would take the sets for a few rows: 21 s by nested loops
  // against 0.2 s by hashing, with 6,325 users just loaded.
  await tx.query('SET LOCAL enable_nestloop = off');
  await tx.query('SET LOCAL enable_mergejoin = off');
  // Compiling takes longer than it saves.
  await tx.query('SET LOCAL jit = off');
}

/** The rows of a statement that ends by `deadline` (of `performance.now()`), or fails. */
export async function askRows<Row extends Record<string, unknown>>(
  tx: Db,
  text: string,
  { values }: Parameters,
  deadline: number,
): Promise<readonly Row[]> {
  const left = Math.max(1, Math.round(deadline - performance.now()));
  await tx.query(`SET LOCAL statement_timeout = ${left}`);
  const { rows } = await tx.query<Row>({
    text,
    values: [...values],
    query_timeout: left + 2_000,
  });
  return rows;
}

/** The one row of a statement that ends by `deadline` (of `performance.now()`), or fails. */
export async function askRow<Row extends Record<string, unknown>>(
  tx: Db,
  text: string,
  parameters: Parameters,
  deadline: number,
): Promise<Row> {
  const [row] = await askRows<Row>(tx, text, parameters, deadline);
  return must(row, 'a select without FROM has one row');
}
