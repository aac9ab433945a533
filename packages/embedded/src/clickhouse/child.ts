// The engine's own process. A crash of native code, or of memory, then takes analytics alone, and
// is mended by starting it again. What it needs arrives as one message from its parent; when the
// parent is gone, however it went, the channel closes and this process ends.
import { createEndpoint } from './endpoint.ts';
import { type EngineOptions, openEngine } from './engine.ts';

/** What the parent sends. */
export interface ChildOptions extends EngineOptions {
  readonly port: number;
  readonly user: string;
  readonly password: string;
}

/** What the parent is told. */
export type ChildMessage =
  | { readonly ready: true }
  | {
      readonly error: string;
      /** The package is there, but its library does not load on this platform. */
      readonly isUnavailable: boolean;
    };

const STOP_GRACE_MS = 3_000;

const tell = (message: ChildMessage): Promise<void> =>
  new Promise((resolve) => {
    if (process.send === undefined) resolve();
    else process.send(message, undefined, {}, () => resolve());
  });

async function isLoadable(): Promise<string | undefined> {
  try {
    await import('chdb');
    return undefined;
  } catch (error) {
    return (error as Error).message.split('\n')[0];
  }
}

async function run(options: ChildOptions): Promise<void> {
  const engine = await openEngine(options);
  const server = createEndpoint({ user: options.user, password: options.password, engine });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, '127.0.0.1', resolve);
  });
  await tell({ ready: true });

  const stop = async (): Promise<void> => {
    server.close();
    server.closeIdleConnections();
    const deadline = performance.now() + STOP_GRACE_MS;
    while (!(engine.writer.isIdle() && engine.readers.isIdle()) && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    // An orderly exit waits for a running query, however long it takes. What was acknowledged is
    // on disk, so the process may as well end at once.
    process.kill(process.pid, 'SIGKILL');
  };
  process.once('SIGTERM', () => void stop());
  process.once('disconnect', () => void stop());
}

process.once('message', (options: ChildOptions) => {
  run(options).catch(async (error: Error) => {
    const unavailable = await isLoadable();
    await tell({ error: unavailable ?? error.message, isUnavailable: unavailable !== undefined });
    process.kill(process.pid, 'SIGKILL');
  });
});
