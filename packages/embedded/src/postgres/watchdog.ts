import { type ChildProcess, spawn } from 'node:child_process';
import { Socket } from 'node:net';

// Waits for a line or for the end of its input. The line says that all is well; the end alone says
// that the launcher was killed, and that nobody else will stop the server. It is in the background
// of a shell that ends at once, and in a session of its own, so that no signal for the launcher
// reaches it.
const SCRIPT = '{ read -r line <&3 || kill -INT "$0"; } & exit 0';

/** Has PostgreSQL stopped when this process dies, however that happens. */
export function stopWithThisProcess(server: ChildProcess): void {
  const { pid } = server;
  if (pid === undefined) return;
  const watchdog = spawn('/bin/sh', ['-c', SCRIPT, String(pid)], {
    cwd: '/',
    // Not over standard input: Node closes that as soon as the shell has ended.
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    detached: true,
  });
  // Without a shell there is no watchdog; the next start stops what was left behind.
  watchdog.once('error', () => {});
  watchdog.unref();
  const line = watchdog.stdio[3];
  if (!(line instanceof Socket)) return;
  line.on('error', () => {});
  line.unref();
  server.once('exit', () => line.end('\n'));
}
