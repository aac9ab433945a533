import type pg from 'pg';
import { type WriterOptions, writeChanges } from './clickhouse-writer.ts';
import { type DeadLetter, insertDeadLetters } from './dead-letters.ts';
import { SINK_COLUMNS, type SinkTable } from './steps/to-row.ts';

const FETCH_ROWS = 10_000;

/**
 * Copies what the tables hold into ClickHouse, with LSN 0, so that a streamed change of the same
 * row always wins. Memory is bounded by the cursor; doing it twice is the same as once.
 *
 * @param client a connection with nothing else on it
 */
export async function copyTables(
  client: pg.Client,
  source: string,
  writer: WriterOptions,
): Promise<void> {
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  const deadLetters: DeadLetter[] = [];
  try {
    for (const table of ['assignments', 'events'] as const) {
      const columns = SINK_COLUMNS[table].map((column) => `${column}::text`).join(', ');
      await client.query(
        `DECLARE copy_${table} NO SCROLL CURSOR FOR SELECT ${columns} FROM ${table}`,
      );
      for (;;) {
        const rows = await fetch(client, table);
        if (rows.length === 0) break;
        const changes = rows.map((row) => ({
          table,
          operation: 'insert' as const,
          row,
          unsent: [],
          lsn: 0n,
        }));
        deadLetters.push(...(await writeChanges(writer, changes)).deadLetters);
      }
    }
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {});
    throw error;
  }
  await insertDeadLetters(client, source, deadLetters);
}

async function fetch(
  client: pg.Client,
  table: SinkTable,
): Promise<readonly Record<string, string | null>[]> {
  const { rows } = await client.query<Record<string, string | null>>(
    `FETCH ${FETCH_ROWS} FROM copy_${table}`,
  );
  return rows;
}
