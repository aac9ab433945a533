import { Readable } from 'node:stream';
import { backoffMs } from '../platform/backoff.ts';
import type { ClickHouse } from '../platform/clickhouse.ts';
import type { DeadLetter } from './dead-letters.ts';
import { sleep } from './sleep.ts';
import type { Change } from './source.ts';
import { SINK_COLUMNS, type SinkTable, toRow } from './steps/to-row.ts';

export interface WriterOptions {
  readonly clickhouse: ClickHouse;
  readonly epoch: number;
  /** Aborted when nothing may be written any more; the present attempt then fails. */
  readonly signal: AbortSignal;
  /** Told of every failed attempt; the writer itself goes on trying. */
  readonly onRetry: (error: Error) => void;
}

/** What a flush came to; it is all durable, but for the dead letters. */
export interface Written {
  readonly rows: Readonly<Record<SinkTable, number>>;
  readonly deadLetters: readonly DeadLetter[];
}

interface Line {
  readonly change: Change;
  readonly line: string;
}

/**
 * Writes changes into ClickHouse: one INSERT per table. Whatever else is wrong, the same rows are
 * sent again until they are in; only rows that the engine itself calls bad are set aside.
 */
export async function writeChanges(
  options: WriterOptions,
  changes: readonly Change[],
): Promise<Written> {
  const lines: Record<SinkTable, Line[]> = { events: [], assignments: [] };
  const deadLetters: DeadLetter[] = [];
  for (const change of changes) {
    const step = toRow(change, options.epoch);
    if (step.kind === 'row') lines[step.table].push({ change, line: step.line });
    else if (step.kind === 'dead_letter') deadLetters.push({ change, error: step.reason });
  }
  const rows = { events: 0, assignments: 0 };
  for (const table of ['assignments', 'events'] as const) {
    const refused = await insertLines(options, table, lines[table]);
    deadLetters.push(...refused);
    rows[table] = lines[table].length - refused.length;
  }
  return { rows, deadLetters };
}

/** Inserts rows, by halves when one of them is bad; answers the bad ones. */
async function insertLines(
  options: WriterOptions,
  table: SinkTable,
  lines: readonly Line[],
): Promise<readonly DeadLetter[]> {
  const [first] = lines;
  if (first === undefined) return [];
  const refusal = await untilAnswered(options, () => insertOnce(options, table, lines));
  if (refusal === undefined) return [];
  if (lines.length === 1) return [{ change: first.change, error: refusal.message }];
  const half = lines.length >> 1;
  const left = await insertLines(options, table, lines.slice(0, half));
  return [...left, ...(await insertLines(options, table, lines.slice(half)))];
}

async function insertOnce(
  { clickhouse, signal }: WriterOptions,
  table: SinkTable,
  lines: readonly Line[],
): Promise<void> {
  const columns = [...SINK_COLUMNS[table], '_version', '_deleted'].join(', ');
  const body = lines.map(({ line }) => line).join('\n');
  const { stream } = await clickhouse.exec({
    // Settings stand in the statement: on a session they would stay. Floats are read precisely by
    // default only since ClickHouse 26.
    query: `INSERT INTO ${table} (${columns})
            SETTINGS async_insert = 0, input_format_skip_unknown_fields = 0,
                     date_time_input_format = 'best_effort', precise_float_parsing = 1,
                     max_partitions_per_insert_block = 1000
            FORMAT JSONEachRow`,
    values: Readable.from([body], { objectMode: false }),
    abort_signal: signal,
  });
  for await (const _ of stream) {
    // The answer of an insert is empty, but must be read to its end.
  }
}

/** Codes with which ClickHouse says that a value, not the moment, is wrong. */
const BAD_ROW_CODES = new Set([
  '6', // CANNOT_PARSE_TEXT
  '25', // CANNOT_PARSE_ESCAPE_SEQUENCE
  '26', // CANNOT_PARSE_QUOTED_STRING
  '27', // CANNOT_PARSE_INPUT_ASSERTION_FAILED
  '38', // CANNOT_PARSE_DATE
  '41', // CANNOT_PARSE_DATETIME
  '53', // TYPE_MISMATCH
  '69', // ARGUMENT_OUT_OF_BOUND
  '70', // CANNOT_CONVERT_TYPE
  '72', // CANNOT_PARSE_NUMBER
  '117', // INCORRECT_DATA
  '131', // TOO_LARGE_STRING_SIZE
  '321', // VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE
  '349', // CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN
  '376', // CANNOT_PARSE_UUID
  '407', // DECIMAL_OVERFLOW
  '469', // VIOLATED_CONSTRAINT
]);

/**
 * Does the work until ClickHouse answers; undefined when it did it, or the error when it refused a
 * row. A missing column or table is no such refusal: no row would be better.
 */
async function untilAnswered(
  { signal, onRetry }: Pick<WriterOptions, 'signal' | 'onRetry'>,
  work: () => Promise<void>,
): Promise<Error | undefined> {
  for (let attempt = 0; ; attempt++) {
    signal.throwIfAborted();
    try {
      await work();
      return undefined;
    } catch (error) {
      signal.throwIfAborted();
      const code = (error as { code?: unknown }).code;
      if (typeof code === 'string' && BAD_ROW_CODES.has(code)) return error as Error;
      onRetry(error as Error);
      await sleep(backoffMs(attempt, 100, 5_000), signal);
    }
  }
}
