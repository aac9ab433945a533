import type { Session } from 'chdb';
import { errorCode, parameterNames, quote } from './statement.ts';

/** One connection of the engine. It runs one statement at a time. */
export interface Connection {
  readonly session: Session;
  database: string;
  /** Parameters set by earlier statements; the engine keeps them. */
  readonly parameters: Set<string>;
}

/** A pool that hands out each connection to one statement at a time, in order of asking. */
export interface Pool {
  readonly take: () => Promise<Connection>;
  readonly giveBack: (connection: Connection) => void;
  readonly isIdle: () => boolean;
}

/** An error with ClickHouse's number and text. */
export class EngineError extends Error {
  override readonly name = 'EngineError';
  readonly code: number | undefined;
  constructor(message: string) {
    super(message);
    this.code = errorCode(message);
  }
}

/** An error as the engine would have worded it. */
export function engineError(code: number, name: string, text: string): EngineError {
  return new EngineError(`Code: ${code}. DB::Exception: ${text} (${name})`);
}

/** @param maxWaiting statements that may wait; one more is refused with code 202 */
export function createPool(sessions: readonly Session[], maxWaiting: number): Pool {
  const idle = sessions.map(
    (session): Connection => ({ session, database: 'default', parameters: new Set() }),
  );
  const waiting: ((connection: Connection) => void)[] = [];
  return {
    take() {
      const connection = idle.pop();
      if (connection !== undefined) return Promise.resolve(connection);
      if (waiting.length >= maxWaiting) {
        return Promise.reject(
          engineError(
            202,
            'TOO_MANY_SIMULTANEOUS_QUERIES',
            `Too many simultaneous queries. Maximum: ${sessions.length} running, ${maxWaiting} waiting.`,
          ),
        );
      }
      return new Promise((resolve) => waiting.push(resolve));
    },
    giveBack(connection) {
      const next = waiting.shift();
      if (next === undefined) idle.push(connection);
      else next(connection);
    },
    isIdle: () => idle.length === sessions.length,
  };
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
  request: {
    readonly sql: string;
    readonly database: string;
    readonly parameters: ReadonlyMap<string, string>;
  },
): Promise<void> {
  const { sql, database, parameters } = request;
  const missing = parameterNames(sql).find(
    (name) => connection.parameters.has(name) && !parameters.has(name),
  );
  if (missing !== undefined) {
    throw engineError(456, 'UNKNOWN_QUERY_PARAMETER', `Substitution \`${missing}\` is not set.`);
  }
  if (connection.database !== database) {
    await execute(connection, `USE \`${database.replaceAll('`', '``')}\``);
    connection.database = database;
  }
  if (parameters.size > 0) {
    const assignments = [...parameters].map(([name, value]) => `param_${name}=${quote(value)}`);
    await execute(connection, `SET ${assignments.join(', ')}`);
    for (const name of parameters.keys()) connection.parameters.add(name);
  }
}

/** Runs one statement to its end; answers its output. */
export async function execute(
  connection: Connection,
  sql: string,
  format = 'TabSeparated',
): Promise<Uint8Array> {
  try {
    return (await connection.session.queryAsync(sql, { format })).bytes();
  } catch (error) {
    throw new EngineError((error as Error).message);
  }
}
