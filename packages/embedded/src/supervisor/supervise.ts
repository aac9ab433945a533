import type { ChildProcess } from 'node:child_process';

export interface SuperviseOptions {
  readonly name: string;
  /** Spawns the process and resolves when it can serve; rejects when it cannot be started. */
  readonly start: () => Promise<ChildProcess>;
  /** Asks the process to stop; the supervisor kills it when it is still there after `stopTimeoutMs`. */
  readonly requestStop: (child: ChildProcess) => void;
  readonly stopTimeoutMs: number;
  /** Told of every death that nobody asked for, and of every failed restart. */
  readonly onTrouble: (message: string) => void;
}

/** A process that is started again whenever it dies, until it is stopped. */
export interface Supervised {
  readonly pid: () => number | undefined;
  readonly stop: () => Promise<void>;
  /** SIGKILL, as an accident would; the supervisor starts it again. */
  readonly kill: () => void;
}

const BACKOFF_FIRST_MS = 100;
const BACKOFF_MAX_MS = 5_000;
/** A process that lived this long begins with the shortest pause again. */
const HEALTHY_AFTER_MS = 30_000;

const hasEnded = (child: ChildProcess): boolean =>
  child.exitCode !== null || child.signalCode !== null;

const ended = (child: ChildProcess): Promise<void> =>
  hasEnded(child)
    ? Promise.resolve()
    : new Promise((resolve) => child.once('exit', () => resolve()));

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Starts a process and keeps it running. The first start must succeed; later ones are retried. */
export async function supervise(options: SuperviseOptions): Promise<Supervised> {
  const { name, onTrouble } = options;
  let isStopping = false;
  let child = await options.start();

  const restart = async (): Promise<void> => {
    for (let attempt = 0; !isStopping; attempt++) {
      const pause = Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** attempt);
      await sleep(pause / 2 + (Math.random() * pause) / 2);
      if (isStopping) return;
      try {
        child = await options.start();
        // Asked to stop while it was starting: nobody else would stop this one.
        if (isStopping) options.requestStop(child);
        return;
      } catch (error) {
        onTrouble(`${name} could not be restarted: ${(error as Error).message}`);
      }
    }
  };

  const watch = (async () => {
    while (!isStopping) {
      const startedAt = performance.now();
      await ended(child);
      if (isStopping) return;
      const cause = child.signalCode ?? `code ${child.exitCode}`;
      onTrouble(`${name} ended unexpectedly (${cause}); starting it again`);
      // A process that dies right after each start must not be started in a tight loop.
      if (performance.now() - startedAt < HEALTHY_AFTER_MS) await sleep(BACKOFF_FIRST_MS);
      await restart();
    }
  })();

  return {
    pid: () => (hasEnded(child) ? undefined : child.pid),
    kill: () => {
      child.kill('SIGKILL');
    },
    async stop() {
      isStopping = true;
      if (!hasEnded(child)) options.requestStop(child);
      const late = setTimeout(() => child.kill('SIGKILL'), options.stopTimeoutMs);
      await Promise.all([ended(child), watch]);
      clearTimeout(late);
      await ended(child);
    },
  };
}
