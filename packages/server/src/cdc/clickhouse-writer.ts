import { Readable } from 'node:stream';
import { formatInstant } from '@assay/core';
import { backoffMs } from '../platform/backoff.ts';
import type { ClickHouse } from '../platform/clickhouse.ts';
import type { DeadLetter } from './dead-letters.ts';
import type { Change } from './source.ts';
import { SINK_COLUMNS, type SinkTable, toRow } from './steps/to-row.ts';

export interface WriterOptions {
  readonly clickhouse: ClickHouse;
  readonly epoch: number;
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
  if (lines.length === 0) return [];
  const refusal = await insertUntilAnswered(options, table, lines);
  if (refusal === undefined) return [];
  const [first] = lines;
  if (lines.length === 1 && first !== undefined) {
    return [{ change: first.change, error: refusal.message }];
  }
  const half = lines.length >> 1;
  const left = await insertLines(options, table, lines.slice(0, half));
  return [...left, ...(await insertLines(options, table, lines.slice(half)))];
}

/** Codes with which ClickHouse says that a value, not the moment, is wrong. */
const BAD_ROW_CODES = new Set([
  '6',
  '26',
  '27',
  '33',
  '38',
  '41',
  '53',
  '72',
  '69',
  '131',
  '349',
  '376',
]);

/** Resolves when the rows are in, or with the error of a row that never will be. */
async function insertUntilAnswered(
  { clickhouse, signal, onRetry }: WriterOptions,
  table: SinkTable,
  lines: readonly Line[],
): Promise<Error | undefined> {
  const columns = [...SINK_COLUMNS[table], '_version', '_deleted'].join(', ');
  const body = lines.map(({ line }) => line).join('\n');
  for (let attempt = 0; ; attempt++) {
    signal.throwIfAborted();
    try {
      const { stream } = await clickhouse.exec({
        // Settings stand in the statement: on a session they would stay.
        query: `INSERT INTO ${table} (${columns})
                SETTINGS async_insert = 0, input_format_skip_unknown_fields = 0,
                         date_time_input_format = 'best_effort', max_partitions_per_insert_block = 1000
                FORMAT JSONEachRow`,
        values: Readable.from([body], { objectMode: false }),
        abort_signal: signal,
      });
      for await (const _ of stream) {
        // The answer of an insert is empty, but must be read to its end.
      }
      return undefined;
    } catch (error) {
      signal.throwIfAborted();
      const code = (error as { code?: unknown }).code;
      if (typeof code === 'string' && BAD_ROW_CODES.has(code)) return error as Error;
      onRetry(error as Error);
      await new Promise((resolve) => setTimeout(resolve, backoffMs(attempt, 100, 5_000)));
    }
  }
}

/** Says how far ClickHouse has come; never back, whatever arrives in which order. */
export async function writeWatermark(
  clickhouse: ClickHouse,
  source: string,
  committedAt: number,
  position: string,
): Promise<void> {
  await clickhouse.command({
    query: `INSERT INTO cdc_watermark (source, committed_at, position) SETTINGS async_insert = 0
            SELECT {source:String}, parseDateTime64BestEffort({at:String}, 6, 'UTC'), {position:String}`,
    query_params: { source, at: formatInstant(committedAt), position },
  });
}

/** The epoch of a database: the next one for a (system, timeline) that was not seen before. */
export async function ensureEpoch(
  clickhouse: ClickHouse,
  systemIdentifier: string,
  timeline: number,
): Promise<number> {
  const result = await clickhouse.query({
    query: `SELECT system_identifier, timeline, epoch FROM cdc_epochs FINAL ORDER BY epoch`,
    format: 'JSONEachRow',
  });
  const rows = await result.json<{ system_identifier: string; timeline: number; epoch: number }>();
  const known = rows.find(
    (row) => row.system_identifier === systemIdentifier && row.timeline === timeline,
  );
  if (known !== undefined) return known.epoch;
  const epoch = (rows.at(-1)?.epoch ?? 0) + 1;
  await clickhouse.command({
    query: `INSERT INTO cdc_epochs (system_identifier, timeline, epoch) SETTINGS async_insert = 0
            SELECT {system:String}, {timeline:UInt32}, {epoch:UInt16}`,
    query_params: { system: systemIdentifier, timeline, epoch },
  });
  return epoch;
}
