import pg from 'pg';
import { backoffMs } from './backoff.ts';

export interface ListenOptions {
  readonly url: string;
  readonly channel: string;
  /** Called after every (re)connect and every notification. */
  readonly onSignal: () => void;
  /** Called each `pollMs` on the listening connection; a failure drops the connection. */
  readonly poll: (client: pg.Client) => Promise<void>;
  readonly pollMs: number;
  readonly onError: (error: Error) => void;
}

export interface Listener {
  /** True while connected and the last poll succeeded less than `3 × pollMs` ago. */
  readonly isLive: () => boolean;
  readonly stop: () => Promise<void>;
}

/**
 * Listens on a channel for as long as it is not stopped, over any number of lost connections. A
 * notification sent while nobody listened is lost, hence the signal after every connect, and the
 * poll, which also notices a connection that is dead without a word.
 */
export function listen(options: ListenOptions): Listener {
  let stopped = false;
  let confirmedAt = 0;
  let attempt = 0;
  let client: pg.Client | undefined;
  let wake: () => void = () => {};

  /** Until the time is over, or until somebody wakes it. */
  const wait = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });

  const connectOnce = async (): Promise<void> => {
    const current = new pg.Client({
      connectionString: options.url,
      connectionTimeoutMillis: 3_000,
      query_timeout: 2_000,
      keepAlive: true,
      application_name: 'assay-listen',
    });
    client = current;
    let lost: Error | undefined;
    const lose = (error: Error): void => {
      lost ??= error;
      wake();
    };
    current.on('error', lose);
    current.on('end', () => lose(new Error('connection ended')));
    await current.connect();
    current.on('notification', options.onSignal);
    await current.query(`LISTEN ${pg.escapeIdentifier(options.channel)}`);
    attempt = 0;
    options.onSignal();
    while (!stopped) {
      await options.poll(current);
      confirmedAt = performance.now();
      if (lost === undefined && !stopped) await wait(options.pollMs);
      if (lost !== undefined) throw lost;
    }
  };

  const loop = (async () => {
    while (!stopped) {
      try {
        await connectOnce();
      } catch (error) {
        confirmedAt = 0;
        if (stopped) break;
        options.onError(error as Error);
        client?.removeAllListeners('notification');
        // It is broken already; its end has nothing to add to what was told above.
        client?.end().catch(() => {});
        await wait(backoffMs(attempt++, 100, 2_000));
      }
    }
  })();

  return {
    isLive: () => performance.now() - confirmedAt < 3 * options.pollMs && confirmedAt > 0,
    async stop() {
      stopped = true;
      wake();
      // Ends a pending poll at once; the loop then sees `stopped`. A connection that is broken cannot
      // end in order, and need not.
      await client?.end().catch(() => {});
      await Promise.race([loop, new Promise((resolve) => setTimeout(resolve, 500))]);
    },
  };
}
