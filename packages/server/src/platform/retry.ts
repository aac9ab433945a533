import { backoffMs } from './backoff.ts';
import type { Log } from './logger.ts';

const sleep = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });

/** Does something in the background until it succeeds once. */
export function retry(name: string, log: Log, work: () => Promise<unknown>): void {
  void (async () => {
    for (let attempt = 0; ; attempt++) {
      try {
        await work();
        return;
      } catch (error) {
        log.warn({ work: name, error: (error as Error).message }, 'will be tried again');
        await sleep(backoffMs(attempt, 200, 5_000));
      }
    }
  })();
}
