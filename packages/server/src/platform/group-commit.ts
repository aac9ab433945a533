import { DomainError } from '../errors.ts';
import type { Metrics } from './metrics.ts';

export interface GroupCommitOptions<Item, Result> {
  /** Label of the metrics. */
  readonly name: string;
  /** Writes all items in one transaction; answers one result per item, in order. */
  readonly commit: (items: readonly Item[]) => Promise<readonly Result[]>;
  /** Rows that an item brings; 1 when absent. */
  readonly weight?: (item: Item) => number;
  /** A group is closed when it has this many rows. */
  readonly maxRows: number;
  /** How long the first item of a group waits for others, in milliseconds. */
  readonly lingerMs: number;
  /** Groups being written at the same time, each on its own connection. */
  readonly maxConcurrent: number;
  /** Rows that may wait; beyond it an item is refused with `overloaded`. */
  readonly maxWaitingRows: number;
  /** True for an error that one item causes, so that the others shall be tried without it. */
  readonly isItemFault: (error: unknown) => boolean;
  readonly metrics: Pick<Metrics, 'groupCommitSize' | 'groupCommitDuration'>;
}

/** Joins items of many requests into few transactions; see {@link createGroupCommit}. */
export interface GroupCommit<Item, Result> {
  /** Resolves after the item's transaction was committed. */
  readonly submit: (item: Item) => Promise<Result>;
}

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly rows: number;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Group commit: what arrives within `lingerMs`, or while all connections are busy, is written as
 * one transaction. One flush to disk then serves many requests.
 */
export function createGroupCommit<Item, Result>(
  options: GroupCommitOptions<Item, Result>,
): GroupCommit<Item, Result> {
  const { commit, maxRows, maxConcurrent, metrics, name } = options;
  const weight = options.weight ?? (() => 1);
  let waiting: Waiting<Item, Result>[] = [];
  let waitingRows = 0;
  let writing = 0;
  let timer: NodeJS.Timeout | undefined;

  const write = async (group: readonly Waiting<Item, Result>[]): Promise<void> => {
    const stopTimer = metrics.groupCommitDuration.startTimer({ group: name });
    try {
      const results = await commit(group.map(({ item }) => item));
      group.forEach((entry, index) => {
        entry.resolve(results[index] as Result);
      });
    } catch (error) {
      if (group.length > 1 && options.isItemFault(error)) {
        const half = group.length >> 1;
        await write(group.slice(0, half));
        await write(group.slice(half));
      } else for (const entry of group) entry.reject(error);
    } finally {
      stopTimer();
    }
  };

  const takeGroup = (): readonly Waiting<Item, Result>[] => {
    let rows = 0;
    let count = 0;
    for (const entry of waiting) {
      if (count > 0 && rows + entry.rows > maxRows) break;
      rows += entry.rows;
      count++;
    }
    const group = waiting.slice(0, count);
    waiting = waiting.slice(count);
    waitingRows -= rows;
    metrics.groupCommitSize.observe({ group: name }, rows);
    return group;
  };

  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    while (waiting.length > 0 && writing < maxConcurrent) {
      writing++;
      void write(takeGroup()).finally(() => {
        writing--;
        if (waiting.length > 0) flush();
      });
    }
  };

  return {
    submit: (item) =>
      new Promise<Result>((resolve, reject) => {
        const rows = weight(item);
        if (waitingRows + rows > options.maxWaitingRows) {
          reject(
            new DomainError('overloaded', 'Too many rows wait to be written', {
              retryAfterSeconds: 1,
            }),
          );
          return;
        }
        waiting.push({ item, rows, resolve, reject });
        waitingRows += rows;
        if (writing >= maxConcurrent) return;
        if (waitingRows >= maxRows) flush();
        else timer ??= setTimeout(flush, options.lingerMs);
      }),
  };
}
