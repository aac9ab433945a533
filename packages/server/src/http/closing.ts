import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';

/** Long enough for a busy client's next request, which is told that the connection ends. */
const DRAIN_MS = 250;
const SWEEP_MS = 50;

/**
 * Ends the connections of a closing server without losing a request. From the first moment every
 * answer says `Connection: close`; what is still open afterwards, because its last answer was
 * under way before, is closed as soon as it is idle and not only when its client leaves.
 */
export function registerClosing(app: FastifyInstance): void {
  app.addHook('preClose', async () => {
    const { server } = app;
    if (!server.listening) return;
    await sleep(DRAIN_MS);
    const sweep = setInterval(() => server.closeIdleConnections(), SWEEP_MS);
    server.once('close', () => clearInterval(sweep));
  });
}
