import type { Session } from 'chdb';
import { engineError } from './engine-error.ts';

/** One connection of the engine. It runs one statement at a time. */
export interface Connection {
  readonly session: Session;
  database: string;
}

/** A pool that hands out each connection to one statement at a time, in order of asking. */
export interface Pool {
  /** @throws the signal's reason when that comes first, EngineError when too many wait already */
  readonly take: (signal?: AbortSignal) => Promise<Connection>;
  readonly giveBack: (connection: Connection) => void;
  readonly isIdle: () => boolean;
}

export const connectionOf = (session: Session): Connection => ({
  session,
  database: 'default',
});

/** @param maxWaiting statements that may wait; one more is refused with code 202 */
export function createPool(connections: readonly Connection[], maxWaiting: number): Pool {
  const idle = [...connections];
  const waiting = new Set<(connection: Connection) => void>();
  return {
    take(signal) {
      if (signal?.aborted) return Promise.reject(signal.reason as Error);
      const connection = idle.pop();
      if (connection !== undefined) return Promise.resolve(connection);
      if (waiting.size >= maxWaiting) {
        return Promise.reject(
          engineError(
            202,
            'TOO_MANY_SIMULTANEOUS_QUERIES',
            `Too many simultaneous queries. Maximum: ${connections.length} running, ${maxWaiting} waiting.`,
          ),
        );
      }
      return new Promise((resolve, reject) => {
        const serve = (free: Connection): void => {
          signal?.removeEventListener('abort', giveUp);
          resolve(free);
        };
        const giveUp = (): void => {
          waiting.delete(serve);
          reject(signal?.reason as Error);
        };
        waiting.add(serve);
        signal?.addEventListener('abort', giveUp, { once: true });
      });
    },
    giveBack(connection) {
      const [next] = waiting;
      if (next === undefined) {
        idle.push(connection);
        return;
      }
      waiting.delete(next);
      next(connection);
    },
    isIdle: () => idle.length === connections.length,
  };
}
