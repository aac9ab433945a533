import type { Deps } from '../../deps.ts';
import { DomainError } from '../../errors.ts';
import { listen } from '../../platform/listen.ts';
import type { LiveSnapshot, Snapshot } from './snapshot.ts';
import { loadSnapshot, readConfigVersion } from './store.ts';

const POLL_MS = 1_000;

/**
 * Shows this process a change that is committed. Where it cannot be read now, the change is none
 * the less made: the next poll reads it, and says what is wrong for as long as it cannot.
 */
export async function showChange({
  snapshot,
}: {
  readonly snapshot: Pick<LiveSnapshot, 'refresh'>;
}): Promise<void> {
  await snapshot.refresh().catch(() => {});
}

/**
 * Keeps the process's snapshot as new as the database: read again after every notification, after
 * every reconnect, and when the polled version differs. Resolves at once; the first load goes on
 * in the background for as long as the database cannot be reached.
 */
export function startSnapshot(deps: Pick<Deps, 'db' | 'config' | 'log' | 'metrics'>): LiveSnapshot {
  const { db, config, log, metrics } = deps;
  let snapshot: Snapshot | undefined;

  const load = async (): Promise<void> => {
    snapshot = await loadSnapshot(db);
    metrics.configVersion.set(snapshot.version);
  };

  // A read that has begun may miss a change made since; so whoever asks while one is running
  // waits for the next one, which all that ask meanwhile share.
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  const refresh = (): Promise<void> => {
    if (running === undefined) {
      running = load().finally(() => {
        running = undefined;
      });
      return running;
    }
    next ??= running
      .catch(() => {})
      .then(() => {
        next = undefined;
        return refresh();
      });
    return next;
  };

  const refreshInBackground = (): void => {
    refresh().catch((error: Error) => log.warn({ error: error.message }, 'snapshot not refreshed'));
  };

  const listener = listen({
    url: config.databaseUrl,
    channel: 'assay_config',
    pollMs: POLL_MS,
    onSignal: refreshInBackground,
    poll: async (client) => {
      const version = await readConfigVersion(client);
      if (version !== snapshot?.version) await refresh();
    },
    onError: (error) => log.warn({ error: error.message }, 'listening for changes was interrupted'),
  });

  return {
    current() {
      if (snapshot === undefined) {
        throw new DomainError('unavailable', 'The configuration has not been loaded yet', {
          retryAfterSeconds: 1,
        });
      }
      return snapshot;
    },
    isLoaded: () => snapshot !== undefined,
    isLive: listener.isLive,
    refresh,
    stop: listener.stop,
  };
}
