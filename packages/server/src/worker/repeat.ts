import type { Log } from '../platform/logger.ts';

/** Work that is done again and again. */
export interface Repeating {
  /** Resolves when the present round is done and no other will follow. */
  readonly stop: () => Promise<void>;
}

/** Does `work` at once and then `intervalMs` after the end of each round; a failure is logged. */
export function repeat(
  name: string,
  intervalMs: number,
  log: Log,
  work: () => Promise<unknown>,
): Repeating {
  let isStopped = false;
  let wake: (() => void) | undefined;
  const loop = (async () => {
    while (!isStopped) {
      try {
        await work();
      } catch (error) {
        // The next round tries again; what the work protects is still in the database.
        log.warn({ work: name, error: (error as Error).message }, 'periodic work failed');
      }
      if (isStopped) break;
      await new Promise<void>((resolve) => {
        wake = resolve;
        setTimeout(resolve, intervalMs).unref();
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
