import { backoffMs } from './backoff.ts';
import type { Log } from './logger.ts';

const sleep = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });

/** Does something in the background until it succeeds once. */
export function retry(name: string, log: Log, work: () => Promise<unknown>): void {
  const attempt = async (number: number): Promise<void> => {
    try {
      await work();
    } catch (error) {
      log.warn({ work: name, error: (error as Error).message }, 'will be tried again');
      await sleep(backoffMs(number, 200, 5_000));
      await attempt(number + 1);
    }
  };
  void attempt(0);
}
