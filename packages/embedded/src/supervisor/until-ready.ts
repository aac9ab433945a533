import type { ChildProcess } from 'node:child_process';
import { ended, hasEnded } from './supervise.ts';

export interface ReadinessOptions {
  /** Whether the process can serve; asked again and again. */
  readonly isReady: () => Promise<boolean>;
  readonly timeoutMs: number;
  /** What ends a process that is late. */
  readonly lastSignal: NodeJS.Signals;
  /** What to say of a process that ended, given the end of what it wrote to its standard error. */
  readonly whenEnded: (words: string) => string;
  /** What to say of a process that is late. */
  readonly whenLate: string;
}

const ASK_EVERY_MS = 50;
const WORDS_MAX = 4_000;

/**
 * Resolves when a process that was just spawned can serve. One that is late, or that nobody waits
 * for any more, is ended.
 *
 * @throws the signal's reason; Error when the process cannot be spawned, ends or is late
 */
export async function untilReady(
  child: ChildProcess,
  { isReady, timeoutMs, lastSignal, whenEnded, whenLate }: ReadinessOptions,
  signal: AbortSignal,
): Promise<void> {
  let words = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    words = (words + chunk.toString()).slice(-WORDS_MAX);
  });
  let spawnError: Error | undefined;
  child.once('error', (error) => {
    spawnError = error;
  });
  const deadline = performance.now() + timeoutMs;
  while (performance.now() < deadline && !signal.aborted) {
    if (spawnError !== undefined) throw spawnError;
    if (hasEnded(child)) throw new Error(whenEnded(words.trim()));
    if (await isReady()) return;
    await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS));
  }
  child.kill(lastSignal);
  await ended(child);
  signal.throwIfAborted();
  throw new Error(whenLate);
}
