// The engine's own process. A crash of native code, or of memory, then takes analytics alone, and
// is mended by starting it again. What it needs arrives as one message from its parent; when the
// parent is gone, however it went, the channel closes and this process ends.
import { Session } from 'chdb';
import { createEndpoint } from './endpoint.ts';
import { createPool, execute } from './pool.ts';

/** What the parent sends. */
export interface ChildOptions {
  readonly dataDir: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly readers: number;
  readonly maxMemoryBytes: number;
  readonly maxExecutionSeconds: number;
}

/** What the parent is told. */
export type ChildMessage = { readonly ready: true } | { readonly error: string };

const MAX_WAITING = 200;
const MAX_BODY_BYTES = 128 * 1024 * 1024;
const STOP_GRACE_MS = 3_000;

const tell = (message: ChildMessage): Promise<void> =>
  new Promise((resolve) => {
    if (process.send === undefined) resolve();
    else process.send(message, undefined, {}, () => resolve());
  });

async function run(options: ChildOptions): Promise<void> {
  const connectionArgs = [
    `--max_server_memory_usage=${options.maxMemoryBytes}`,
    `--max_execution_time=${options.maxExecutionSeconds}`,
    '--mark_cache_size=268435456',
  ];
  const open = () => new Session(options.dataDir, { connectionArgs });
  const writerSession = open();
  const writer = createPool([writerSession], MAX_WAITING);
  const readers = createPool(Array.from({ length: options.readers }, open), MAX_WAITING);

  const connection = await writer.take();
  // The engine's database `default` is an overlay that lacks features; `assay` is an ordinary one.
  await execute(connection, 'CREATE DATABASE IF NOT EXISTS assay ENGINE = Atomic');
  writer.giveBack(connection);

  const server = createEndpoint({
    user: options.user,
    password: options.password,
    writer,
    readers,
    maxBodyBytes: MAX_BODY_BYTES,
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, '127.0.0.1', resolve);
  });
  await tell({ ready: true });

  const stop = async (): Promise<void> => {
    server.close();
    server.closeIdleConnections();
    const deadline = performance.now() + STOP_GRACE_MS;
    while (!(writer.isIdle() && readers.isIdle()) && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    // An orderly exit waits for a running query, however long it takes. What was acknowledged is
    // on disk, so the process may as well end at once.
    process.kill(process.pid, 'SIGKILL');
  };
  process.once('SIGTERM', () => void stop());
  process.once('disconnect', () => void stop());
  // Ctrl-C in a terminal reaches the whole process group; the launcher decides who stops when.
  process.on('SIGINT', () => {});
}

process.once('message', (options: ChildOptions) => {
  run(options).catch(async (error: Error) => {
    await tell({ error: error.message });
    process.kill(process.pid, 'SIGKILL');
  });
});
