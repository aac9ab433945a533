import { execFile } from 'node:child_process';
import { access, constants, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** How PostgreSQL's programs are run: it refuses to run as root, so root lends it another account. */
export interface Account {
  readonly uid: number | undefined;
  readonly gid: number | undefined;
  /** Words to put before a command. */
  readonly prefix: readonly string[];
}

const USER = 'postgres';

/**
 * The account for PostgreSQL.
 *
 * @param paths folders that the account must be able to enter
 * @throws Error with one sentence for the operator
 */
export async function postgresAccount(paths: readonly string[]): Promise<Account> {
  if (process.getuid?.() !== 0) return { uid: undefined, gid: undefined, prefix: [] };
  const ids = (await userIds()) ?? (await createUser());
  if (await canEnterAll(paths)) return { ...ids, prefix: [] };
  // A clone below a folder of mode 0700, such as a temporary one: the account may pass closed
  // doors, but not more than root, who started it, could.
  const capabilities = '+dac_override,+dac_read_search';
  const prefix = [
    'setpriv',
    `--reuid=${ids.uid}`,
    `--regid=${ids.gid}`,
    '--clear-groups',
    `--inh-caps=${capabilities}`,
    `--ambient-caps=${capabilities}`,
  ];
  const works = await run(prefix[0] ?? '', [...prefix.slice(1), 'true']).then(
    () => true,
    () => false,
  );
  if (works) return { uid: undefined, gid: undefined, prefix };
  throw new Error(
    `PostgreSQL runs as the user "${USER}", who cannot enter ${paths.join(' or ')}; open the folders above for others (chmod o+x), or run as an ordinary user`,
  );
}

async function userIds(): Promise<{ uid: number; gid: number } | undefined> {
  try {
    const [uid, gid] = await Promise.all([run('id', ['-u', USER]), run('id', ['-g', USER])]);
    return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
  } catch {
    // `id` fails for a user that does not exist; createUser says what to do then.
    return undefined;
  }
}

async function createUser(): Promise<{ uid: number; gid: number }> {
  try {
    await run('useradd', ['--system', '--user-group', '--no-create-home', USER]);
  } catch {
    // BusyBox has the other program of that kind.
    await run('adduser', ['-S', '-D', '-H', USER]).catch((cause: Error) => {
      throw new Error(
        `PostgreSQL does not run as root, and the user "${USER}" could not be made; run as an ordinary user`,
        { cause },
      );
    });
  }
  const ids = await userIds();
  if (ids === undefined) throw new Error(`the user "${USER}" was made but cannot be found`);
  return ids;
}

/** Whether others may enter every folder on the way to each path. */
async function canEnterAll(paths: readonly string[]): Promise<boolean> {
  for (const path of paths) {
    for (let folder = path; ; folder = dirname(folder)) {
      const isThere = await access(folder, constants.F_OK).then(
        () => true,
        () => false,
      );
      if (isThere && ((await stat(folder)).mode & 0o001) === 0) return false;
      if (folder === dirname(folder)) break;
    }
  }
  return true;
}
