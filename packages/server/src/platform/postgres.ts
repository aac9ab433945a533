import pg from 'pg';

/** A statement; `query_timeout` (ms) where the pool's own would be too short. */
interface StatementConfig extends pg.QueryConfig {
  readonly query_timeout?: number;
}

/** What a store needs of PostgreSQL: a pool or, inside a transaction, one of its clients. */
export interface Db {
  query<Row extends pg.QueryResultRow>(
    config: string | StatementConfig,
    values?: readonly unknown[],
  ): Promise<pg.QueryResult<Row>>;
}

export type Pool = pg.Pool;

// timestamptz stays text: a JavaScript Date would cut microseconds off.
const types = new pg.TypeOverrides();
types.setTypeParser(pg.types.builtins.TIMESTAMPTZ, (text) => text);
// bigint counts and ids stay below 2^53 here; text would leak into JSON.
types.setTypeParser(pg.types.builtins.INT8, Number);

/** SQL that makes a timestamptz RFC 3339 text in UTC with six decimals, as all of our code has it. */
export const rfc3339 = (expression: string): string =>
  `to_char(${expression} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;

export interface PoolOptions {
  readonly url: string;
  readonly maxConnections: number;
  readonly applicationName: string;
}

const STATEMENT_TIMEOUT_MS = 5_000;

/**
 * A pool whose connections have the session settings that the pipeline relies on. An idle
 * transaction would pin the replication slot's WAL, hence the timeout.
 */
export function connectPostgres(options: PoolOptions): Pool {
  const pool = new pg.Pool({
    connectionString: options.url,
    max: options.maxConnections,
    connectionTimeoutMillis: 3_000,
    idleTimeoutMillis: 30_000,
    application_name: options.applicationName,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    // For a server that does not answer at all.
    query_timeout: STATEMENT_TIMEOUT_MS + 2_000,
    lock_timeout: 1_000,
    idle_in_transaction_session_timeout: 10_000,
    options: '-c timezone=UTC -c synchronous_commit=on -c extra_float_digits=1',
    keepAlive: true,
    types,
  });
  // A pooled connection that dies while idle is replaced at the next query, which reports it if
  // the server is really gone; without a listener Node would end the process.
  pool.on('error', () => {});
  return pool;
}

/** `READ`: everything that the transaction reads is as of one moment. */
export type TransactionMode = 'WRITE' | 'READ';

const BEGIN: Readonly<Record<TransactionMode, string>> = {
  WRITE: 'BEGIN',
  READ: 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY',
};

/** Runs `work` in one transaction on one connection; rolls back when it throws. */
export async function inTransaction<T>(
  pool: Pool,
  work: (tx: Db) => Promise<T>,
  mode: TransactionMode = 'WRITE',
): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query(BEGIN[mode]);
    const result = await work(client);
    await client.query('COMMIT');
    return result;
  } catch (error) {
    await client.query('ROLLBACK').catch((rollbackError: Error) => {
      broken = rollbackError;
    });
    throw error;
  } finally {
    // A connection that could not roll back is destroyed, not returned to the pool.
    client.release(broken);
  }
}

/** The SQLSTATE that PostgreSQL answered, or the system's code for a connection; else empty. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : '';
}

/** True for a statement that the server ended because it took too long. */
export const isStatementTimeout = (error: unknown): boolean => codeOf(error) === '57014';

/** True for errors that say "the database cannot be reached now", not "the statement is wrong". */
export function isUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = codeOf(error);
  return (
    // connection exceptions, operator intervention (shutdown, crash), too many connections
    /^(08|57P|53)/.test(code) ||
    ['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN'].includes(code) ||
    /Connection terminated|timeout exceeded when trying to connect|Query read timeout|Client has encountered a connection error|not queryable/.test(
      error.message,
    )
  );
}

/**
 * SQLSTATEs that say "somebody else is at it": a lock or an answer did not come in time, or two
 * transactions waited for each other. The same request succeeds a moment later.
 */
const CONTENTION: ReadonlySet<string> = new Set(['55P03', '57014', '40001', '40P01']);

/** True for errors that the same statement may not cause a moment later. */
export const isContention = (error: unknown): boolean => CONTENTION.has(codeOf(error));

/** True for errors that a value of the statement causes (SQLSTATE classes 22 and 23). */
export function isDataError(error: unknown): boolean {
  return /^2[23]/.test(codeOf(error));
}
