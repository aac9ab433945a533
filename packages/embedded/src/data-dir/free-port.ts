import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

// Below the ports that systems hand out to outgoing connections (from 32768 on Linux, from 49152
// elsewhere): while a service is started again, no client's own end may land on its port. A client
// that keeps trying a free port of that range may even connect to itself.
const FIRST = 20_000;
const LAST = 32_000;
const ATTEMPTS = 50;

/**
 * A loopback port that nothing listens on now.
 *
 * @param kept one that something will listen on soon; 0: none
 */
export async function freePort(kept = 0, first = FIRST, last = LAST): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const tried = randomInt(first, last);
    const port = tried === kept ? undefined : await tryPort(tried);
    if (port !== undefined) return port;
  }
  const any = await tryPort(0);
  if (any === undefined || any === kept) throw new Error('no free port was found on 127.0.0.1');
  return any;
}

function tryPort(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      const found = typeof address === 'object' && address !== null ? address.port : undefined;
      server.close(() => resolve(found));
    });
  });
}
