import type { ChildProcess } from 'node:child_process';

export interface SuperviseOptions {
  readonly name: string;
  /**
   * Spawns the process and resolves when it can serve; rejects when it cannot be started, having
   * ended what it spawned. The signal says that nobody waits for it any more.
   */
  readonly start: (signal: AbortSignal) => Promise<ChildProcess>;
  /** Asks the process to stop; the supervisor ends it when it is still there after `stopTimeoutMs`. */
  readonly requestStop: (child: ChildProcess) => void;
  readonly stopTimeoutMs: number;
  /** What ends a process that did not stop in time. */
  readonly lastSignal?: NodeJS.Signals;
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
const HEALTHY_AFTER_MS = 10_000;

/** The pause before the attempt of that number, with half of it left to chance. */
export function backoffMs(attempt: number, random = Math.random): number {
  const pause = Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** Math.min(attempt, 20));
  return pause / 2 + (random() * pause) / 2;
}

export const hasEnded = (child: ChildProcess): boolean =>
  child.exitCode !== null || child.signalCode !== null;

export const ended = (child: ChildProcess): Promise<void> =>
  hasEnded(child)
    ? Promise.resolve()
    : new Promise((resolve) => child.once('exit', () => resolve()));

/** Resolves after the time, or as soon as the signal comes. */
function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });
}

/** Starts a process and keeps it running. The first start must succeed; later ones are retried. */
export async function supervise(
  options: SuperviseOptions,
  signal: AbortSignal = new AbortController().signal,
): Promise<Supervised> {
  const stopping = new AbortController();
  let child = await options.start(AbortSignal.any([signal, stopping.signal]));
  const watching = keepRunning(options, stopping.signal, child, (next) => {
    child = next;
  });
  return {
    pid: () => (hasEnded(child) ? undefined : child.pid),
    kill: () => {
      child.kill('SIGKILL');
    },
    async stop() {
      stopping.abort();
      // Also one that was just being started again.
      await watching;
      if (hasEnded(child)) return;
      options.requestStop(child);
      const late = setTimeout(
        () => child.kill(options.lastSignal ?? 'SIGKILL'),
        options.stopTimeoutMs,
      );
      await ended(child);
      clearTimeout(late);
    },
  };
}

/** Starts the process again whenever it ends; returns when it is to be stopped. */
async function keepRunning(
  options: SuperviseOptions,
  stopping: AbortSignal,
  first: ChildProcess,
  onStarted: (child: ChildProcess) => void,
): Promise<void> {
  const { name, onTrouble } = options;
  const stopAsked = new Promise<void>((resolve) =>
    stopping.addEventListener('abort', () => resolve(), { once: true }),
  );
  let child = first;
  let startedAt = performance.now();
  let attempt = 0;
  while (!stopping.aborted) {
    await Promise.race([ended(child), stopAsked]);
    if (stopping.aborted) return;
    // One that dies soon after each start is started ever less often.
    if (performance.now() - startedAt > HEALTHY_AFTER_MS) attempt = 0;
    onTrouble(
      `${name} ended unexpectedly (${child.signalCode ?? `code ${child.exitCode}`}); starting it again`,
    );
    for (;;) {
      await sleep(backoffMs(attempt++), stopping);
      if (stopping.aborted) return;
      try {
        child = await options.start(stopping);
        break;
      } catch (error) {
        if (stopping.aborted) return;
        onTrouble(`${name} could not be restarted: ${(error as Error).message}`);
      }
    }
    startedAt = performance.now();
    onStarted(child);
  }
}
