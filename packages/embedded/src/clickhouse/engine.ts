import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { ChdbResult, Session } from 'chdb';
import { EngineError, engineError } from './engine-error.ts';
import { type Connection, connectionOf, createPool, type Pool } from './pool.ts';
import { quote } from './settings.ts';

export interface EngineOptions {
  readonly dataDir: string;
  readonly readers: number;
  /** Of the engine as a whole. */
  readonly maxMemoryBytes: number;
  /** Of every statement that does not ask for less. */
  readonly maxExecutionSeconds: number;
  /** Statements that may wait for a connection. */
  readonly maxWaiting: number;
}

/** What an INSERT with rows reports. */
export interface Written {
  readonly rowsWritten: number;
  readonly bytesWritten: number;
  readonly elapsed: number;
}

/** An open engine: its connections, and what is done with one of them. */
export interface Engine {
  /** One connection: writes are in order, and the engine sees no two inserts at once. */
  readonly writer: Pool;
  readonly readers: Pool;
  readonly insertRows: (connection: Connection, sql: string, rows: Buffer) => Promise<Written>;
  /** Ends the statements that begin with this text, on whichever connection they run. */
  readonly cancel: (beginning: string) => Promise<void>;
}

/** The part of the package's native side that it does not hand out: rows as bytes, in any text format. */
interface Native {
  readonly InsertRawAsyncConnection: (
    connection: unknown,
    statement: string,
    rows: Buffer,
    countLines: boolean,
  ) => Promise<Written>;
}

function loadNative(): Native {
  const require = createRequire(import.meta.url);
  const loader = join(dirname(require.resolve('chdb')), 'dist/loader.js');
  return (require(loader) as { loadNative: () => Native }).loadNative();
}

/** @throws Error when the package does not load on this platform, or the directory does not open */
export async function openEngine(options: EngineOptions): Promise<Engine> {
  const { Session: Opened } = await import('chdb');
  const native = loadNative();
  // Given at the opening, these hold for every connection, and a statement's own SETTINGS for it alone.
  const connectionArgs = [
    `--max_server_memory_usage=${options.maxMemoryBytes}`,
    `--max_execution_time=${options.maxExecutionSeconds}`,
    // An insert is over when its rows are there, and one at a time needs no batching.
    '--async_insert=0',
    '--mark_cache_size=268435456',
    // A parameter is set by a statement, and is as long as the URL may be.
    '--max_query_size=8388608',
  ];
  const open = (): Session => new Opened(options.dataDir, { connectionArgs });
  const writer = connectionOf(open());
  // The engine's database `default` is an overlay that lacks features; `assay` is an ordinary one.
  await execute(writer, 'CREATE DATABASE IF NOT EXISTS assay ENGINE = Atomic');
  const control = connectionOf(open());
  const readers = Array.from({ length: options.readers }, () => connectionOf(open()));
  return {
    writer: createPool([writer], options.maxWaiting),
    readers: createPool(readers, options.maxWaiting),
    async insertRows({ session }, sql, rows) {
      try {
        return await native.InsertRawAsyncConnection(session.connection, sql, rows, false);
      } catch (error) {
        throw new EngineError((error as Error).message);
      }
    },
    async cancel(beginning) {
      await execute(control, `KILL QUERY WHERE startsWith(query, ${quote(beginning)}) ASYNC`);
    },
  };
}

/**
 * A connection that cannot be cleaned must not answer again. Nothing but a new process has new ones,
 * and its supervisor starts one.
 */
function endProcess(error: Error): void {
  setImmediate(() => {
    throw new Error('a connection of the engine could not be cleaned', { cause: error });
  });
}

/** Runs one statement to its end; answers its output. */
export async function execute(
  { session }: Connection,
  sql: string,
  format = 'TabSeparated',
): Promise<ChdbResult> {
  try {
    return await session.queryAsync(sql, { format });
  } catch (error) {
    // What a statement has written before it failed stays in the connection's buffer, and the next
    // answer would begin with it: this one takes it away.
    await session.queryAsync('SELECT 1 FORMAT Null').catch(endProcess);
    throw new EngineError((error as Error).message);
  }
}

/**
 * Brings a connection into the state that a statement asks for: its database and its parameters.
 * Values arrive escaped the way ClickHouse's own server expects, so they are only quoted.
 *
 * @throws EngineError for a parameter that the statement uses and the request does not give; the
 *   engine itself would take what an earlier statement has left on the connection
 */
export async function prepare(
  connection: Connection,
  needs: {
    readonly used: readonly string[];
    readonly database: string;
    readonly parameters: ReadonlyMap<string, string>;
  },
): Promise<void> {
  const { used, database, parameters } = needs;
  const missing = used.find((name) => !parameters.has(name));
  if (missing !== undefined) {
    throw engineError(456, 'UNKNOWN_QUERY_PARAMETER', `Substitution \`${missing}\` is not set.`);
  }
  if (connection.database !== database) {
    await execute(
      connection,
      `USE \`${database.replaceAll('\\', '\\\\').replaceAll('`', '\\`')}\``,
    );
    connection.database = database;
  }
  if (parameters.size > 0) {
    const assignments = [...parameters].map(([name, value]) => `param_${name}=${quote(value)}`);
    await execute(connection, `SET ${assignments.join(', ')}`);
  }
}
