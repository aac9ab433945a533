import { type ParseArgsConfig, parseArgs } from 'node:util';
import { describeLauncherSettings } from '../launcher/options.ts';
import { doctor } from './doctor.ts';
import { say } from './say.ts';
import { start } from './start.ts';
import { createToken, demo, migrate } from './verbs.ts';

type Values = Readonly<Record<string, string | boolean | undefined>>;

interface Verb {
  readonly usage: string;
  readonly help: string;
  readonly options: NonNullable<ParseArgsConfig['options']>;
  /** Answers the exit code. */
  readonly run: (values: Values) => Promise<number>;
}

const notYet = (what: string) => async (): Promise<number> => {
  process.stderr.write(`assay: ${what} is not part of this version.\n`);
  return 2;
};

const VERBS: Readonly<Record<string, Verb>> = {
  start: {
    usage: 'assay start',
    help: 'Starts PostgreSQL and ClickHouse (unless DATABASE_URL and CLICKHOUSE_URL name others), migrates, and serves.',
    options: {},
    run: start,
  },
  migrate: {
    usage: 'assay migrate',
    help: 'Brings the databases to the schema of this version.',
    options: {},
    run: migrate,
  },
  demo: {
    usage: 'assay demo',
    help: 'Loads the STAR trial, a real randomised experiment, through the API of the running server.',
    options: {},
    run: demo,
  },
  'token create': {
    usage: 'assay token create --role <client|ingest|viewer|editor|admin> --name <name>',
    help: 'Makes a token and prints it; it cannot be shown again.',
    options: { role: { type: 'string' }, name: { type: 'string' } },
    run: createToken,
  },
  doctor: {
    usage: 'assay doctor',
    help: 'Checks every connection and setting.',
    options: {},
    run: doctor,
  },
  reconcile: {
    usage: 'assay reconcile',
    help: 'Compares what was accepted with what is stored and counted (not part of this version).',
    options: {},
    run: notYet('reconcile'),
  },
  backfill: {
    usage: 'assay backfill --from <time> --to <time>',
    help: 'Copies a span of time into ClickHouse again (not part of this version).',
    options: { from: { type: 'string' }, to: { type: 'string' } },
    run: notYet('backfill'),
  },
};

function overview(): string {
  const lines = Object.values(VERBS).map(({ usage, help }) => `  ${usage}\n      ${help}`);
  return `Usage: assay <verb> [options]\n\n${lines.join('\n')}\n\nassay <verb> --help says more.`;
}

/** The first words of parseArgs' message, which goes on with advice that does not fit here. */
function misuse(error: Error): string {
  const [first = ''] = error.message.split(/\.\s|\n/);
  return first.replace(/\.$/, '').replace(/^./, (letter) => letter.toLowerCase());
}

/** Runs the command line; answers the exit code: 0 done, 1 failed, 2 not understood. */
export async function runCommand(args: readonly string[]): Promise<number> {
  const [first, second] = args;
  if (first === undefined || first === '--help' || first === 'help') {
    say(overview());
    return first === undefined ? 2 : 0;
  }
  // `assay token` alone, or with --help, is about its only verb.
  const isToken = first === 'token' && (second === undefined || second.startsWith('-'));
  const pair = isToken ? 'token create' : `${first} ${second}`;
  const name = Object.hasOwn(VERBS, pair) ? pair : first;
  const verb = Object.hasOwn(VERBS, name) ? VERBS[name] : undefined;
  if (verb === undefined) {
    process.stderr.write(`assay: "${args.join(' ')}" is not a command; assay --help lists them.\n`);
    return 2;
  }
  let values: Values;
  try {
    const parsed = parseArgs({
      args: args.slice(isToken ? 1 : name.split(' ').length),
      options: { ...verb.options, help: { type: 'boolean' } },
    });
    values = parsed.values as Values;
  } catch (error) {
    process.stderr.write(`assay ${name}: ${misuse(error as Error)}; usage: ${verb.usage}\n`);
    return 2;
  }
  if (values.help) {
    say(`Usage: ${verb.usage}\n\n${verb.help}`);
    if (name === 'start') {
      const { describeSettings } = await import('@assay/server/config');
      say(`\nSettings (environment):\n${describeLauncherSettings()}\n${describeSettings()}`);
    }
    return 0;
  }
  try {
    return await verb.run(values);
  } catch (error) {
    process.stderr.write(`assay ${name}: ${(error as Error).message}\n`);
    return 1;
  }
}
