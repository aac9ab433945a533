import { readConfig } from '@assay/server/config';
import { inheritedEnvironment } from '../environment.ts';
import { type Launched, launch } from '../launcher/launch.ts';
import { readLauncherOptions } from '../launcher/options.ts';
import { say } from './say.ts';

/** Starts everything and stays until it is asked to stop; answers the exit code. */
export async function start(): Promise<number> {
  const options = readLauncherOptions();
  // Finds a wrong setting before anything is started; the URL is a stand-in for the embedded one.
  readConfig({
    ...inheritedEnvironment(),
    ...(options.databaseUrl === undefined ? { DATABASE_URL: 'postgres://localhost' } : {}),
  });

  const stopping = stopOnSignals();
  const stopAsked = new Promise<void>((resolve) => {
    stopping.addEventListener('abort', () => resolve(), { once: true });
  });
  let launched: Launched;
  try {
    launched = await launch(
      options,
      { progress: say, trouble: (message) => process.stderr.write(`${message}\n`) },
      stopping,
    );
  } catch (error) {
    if (stopping.aborted) return 0;
    throw error;
  }
  if (!stopping.aborted) {
    say(describe(launched, options.dataDir));
    await stopAsked;
  }
  await launched.stop();
  return 0;
}

function describe({ url, adminTokenFile }: Launched, dataDir: string): string {
  const token =
    adminTokenFile === undefined ? 'as given in ASSAY_ADMIN_TOKEN' : `cat ${adminTokenFile}`;
  return [
    '',
    `Assay is ready at ${url}`,
    `  data         ${dataDir}`,
    `  admin token  ${token}`,
    `  API pages    ${url}/docs`,
    '  stop         Ctrl-C',
  ].join('\n');
}

/** A signal that comes twice at once is one wish: `npm` passes on what the terminal has sent too. */
const SAME_WISH_MS = 1_000;

function stopOnSignals(): AbortSignal {
  const stopping = new AbortController();
  let askedAt = 0;
  const ask = (): void => {
    if (!stopping.signal.aborted) {
      askedAt = performance.now();
      say('Stopping …');
      stopping.abort(new Error('it was asked to stop'));
    } else if (performance.now() - askedAt > SAME_WISH_MS) {
      // What was started notices that this process is gone, and stops too.
      process.exit(130);
    }
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, ask);
  return stopping.signal;
}
