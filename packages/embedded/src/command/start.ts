import { readConfig } from '@assay/server/config';
import { inheritedEnvironment } from '../environment.ts';
import { launch } from '../launcher/launch.ts';
import { readLauncherOptions } from '../launcher/options.ts';
import { say } from './say.ts';

/** Starts everything and stays until it is asked to stop; answers the exit code. */
export async function start(): Promise<number> {
  const options = readLauncherOptions();
  // Finds a wrong setting before anything is started; the URL is a stand-in for the embedded one.
  readConfig({ DATABASE_URL: 'postgres://localhost', ...inheritedEnvironment() });

  const stopAsked = new Promise<void>((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
    process.once('SIGHUP', resolve);
  });
  const launched = launch(options, {
    progress: say,
    trouble: (message) => process.stderr.write(`${message}\n`),
  });
  const outcome = await Promise.race([launched, stopAsked]);
  if (outcome !== undefined) {
    say(`\nAssay is ready at ${outcome.url}`);
    say(`  data         ${options.dataDir}`);
    say(
      outcome.adminTokenFile === undefined
        ? '  admin token  as given in ASSAY_ADMIN_TOKEN'
        : `  admin token  cat ${outcome.adminTokenFile}`,
    );
    say(`  API pages    ${outcome.url}/docs`);
    say('  stop         Ctrl-C');
    await stopAsked;
  }
  say('Stopping …');
  // Also when it was still starting: what has been started by then must be stopped.
  const running = await launched.catch(() => undefined);
  await running?.stop();
  return 0;
}
