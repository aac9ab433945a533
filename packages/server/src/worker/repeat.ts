import { backoffMs } from '../platform/backoff.ts';
import type { Log } from '../platform/logger.ts';

/** Work that is done again and again. */
export interface Repeating {
  /** Resolves when the present round is done and no other will follow. */
  readonly stop: () => Promise<void>;
}

const RETRY_FIRST_MS = 1_000;
const RETRY_MAX_MS = 60_000;

/**
 * Does `work` at once and then `intervalMs` after the end of each round. A failure is logged, and
 * the next round comes sooner where the interval is long.
 */
export function repeat(
  name: string,
  intervalMs: number,
  log: Log,
  work: () => Promise<unknown>,
): Repeating {
  let isStopped = false;
  let wake: (() => void) | undefined;
  const loop = (async () => {
    let failures = 0;
    while (!isStopped) {
      try {
        await work();
        failures = 0;
      } catch (error) {
        failures++;
        // The next round tries again; what the work protects is still in the database.
        log.warn({ work: name, error: (error as Error).message }, 'periodic work failed');
      }
      if (isStopped) break;
      const retryMs = backoffMs(failures - 1, RETRY_FIRST_MS, RETRY_MAX_MS);
      const pauseMs = failures === 0 ? intervalMs : Math.min(intervalMs, retryMs);
      await new Promise<void>((resolve) => {
        wake = resolve;
        setTimeout(resolve, pauseMs).unref();
      });
    }
  })();
  return {
    stop() {
      isStopped = true;
      wake?.();
      return loop;
    },
  };
}
