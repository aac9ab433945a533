import type { Lsn } from './lsn.ts';

/** One row that changed, as text; the same shape whatever carried it here. */
export interface Change {
  readonly table: string;
  readonly operation: 'insert' | 'update' | 'delete';
  /** Column values; for a delete only those of the key. A missing column was not sent. */
  readonly row: Readonly<Record<string, string | null>>;
  /** Columns whose unchanged value was not sent. */
  readonly unsent: readonly string[];
  /** Orders the changes of one row; 0 for a copy of what was there before. */
  readonly lsn: Lsn;
}

/** Changes that were committed together, or a part of them. */
export interface ChangeBatch {
  readonly changes: readonly Change[];
  /** About as many as the changes take in memory. */
  readonly bytes: number;
  /** Microseconds since the epoch. */
  readonly committedAt: number;
  /** False for a part that others of the same transaction follow. */
  readonly isComplete: boolean;
  /** Where the source goes on after this batch; opaque to all but the source. */
  readonly position: string;
}

export interface FlushLimits {
  readonly maxRows: number;
  readonly maxBytes: number;
  /** How long the oldest row waits for others, in milliseconds. */
  readonly lingerMs: number;
}

/**
 * A stream of changes in commit order. Kafka can be the second implementation: what the sink does
 * with the batches does not depend on where they come from.
 */
export interface ChangeStream {
  /**
   * Resolves when a limit is reached, with no more than the limits or one batch; with nothing when
   * `signal` is aborted. Rejects when the stream is broken: then all that was taken and not
   * acknowledged will come again from the next stream.
   */
  readonly next: (limits: FlushLimits, signal: AbortSignal) => Promise<readonly ChangeBatch[]>;
  /** The changes up to and with this batch are durable and need not be sent again. */
  readonly acknowledge: (batch: ChangeBatch) => void;
  readonly close: () => Promise<void>;
}
