import { createServer } from 'node:net';

/** How long a port may stay in use: a killed launcher's server notices and lets go within that. */
const PATIENCE_MS = 5_000;

/** Says that a port is taken before anything else is started. */
export async function checkPort(host: string, port: number, signal: AbortSignal): Promise<void> {
  if (port === 0) return;
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const error = await tryPort(host, port);
    if (error === undefined) return;
    if (error.code !== 'EADDRINUSE') {
      throw new Error(`Cannot listen on ${host}:${port}: ${error.message}`);
    }
    if (performance.now() > deadline) {
      throw new Error(`Port ${port} on ${host} is in use; stop what uses it, or set PORT`);
    }
    signal.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function tryPort(host: string, port: number): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', resolve);
    probe.listen(port, host, () => probe.close(() => resolve(undefined)));
  });
}
