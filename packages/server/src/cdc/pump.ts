import type { Deps } from '../deps.ts';
import type { Db } from '../platform/postgres.ts';
import { type WriterOptions, type Written, writeChanges } from './clickhouse-writer.ts';
import { insertDeadLetters } from './dead-letters.ts';
import { writeWatermark } from './sink-state.ts';
import type { ChangeBatch, ChangeStream, FlushLimits } from './source.ts';
import type { Progress } from './status.ts';

const LIMITS: FlushLimits = { maxRows: 5_000, maxBytes: 16 * 1024 * 1024, lingerMs: 40 };
/** The watermark is written with a flush, but not with every one: each is a part of its own. */
const WATERMARK_MS = 250;

export interface Pump {
  readonly deps: Pick<Deps, 'metrics' | 'now'>;
  readonly source: string;
  readonly stream: ChangeStream;
  readonly writer: WriterOptions;
  /** Where dead letters go. */
  readonly db: Db;
  readonly progress: Progress;
}

/**
 * Takes, writes, acknowledges, until `signal` is aborted; one flush at a time, so that positions
 * move in order. Nothing is acknowledged before all of it is durable.
 */
export async function pump(context: Pump, signal: AbortSignal): Promise<void> {
  const { deps, source, stream, writer, db, progress } = context;
  let watermarkAt = Number.NEGATIVE_INFINITY;
  for (;;) {
    const batches = await stream.next(LIMITS, signal);
    if (batches.length === 0) return;
    const changes = batches.flatMap((batch) => batch.changes);
    const written = await writeChanges(writer, changes);
    await insertDeadLetters(db, source, written.deadLetters);
    measure(context, batches, written);
    const complete = batches.findLast(({ isComplete }) => isComplete);
    if (complete !== undefined && performance.now() - watermarkAt > WATERMARK_MS) {
      await writeWatermark(writer.clickhouse, source, complete);
      watermarkAt = performance.now();
      progress.visibleUntil = Math.max(progress.visibleUntil ?? 0, complete.committedAt);
    }
    for (const batch of batches) stream.acknowledge(batch);
    progress.state = 'streaming';
    progress.lastError = null;
    deps.metrics.cdcLag.set((progress.delayMs ?? 0) / 1_000);
  }
}

function measure(
  { deps, progress }: Pump,
  batches: readonly ChangeBatch[],
  { rows, deadLetters }: Written,
): void {
  const { metrics, now } = deps;
  for (const [table, count] of Object.entries(rows)) metrics.cdcRows.inc({ table }, count);
  metrics.cdcDeadLetters.inc(deadLetters.length);
  const visibleAt = now();
  for (const { committedAt, isComplete } of batches) {
    if (!isComplete) continue;
    const delayMs = Math.max(0, visibleAt - committedAt / 1_000);
    metrics.cdcVisible.observe(delayMs / 1_000);
    progress.delayMs = Math.round(delayMs);
  }
}
