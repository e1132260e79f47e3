import { spawnSync } from 'node:child_process';
import { chownSync, lchownSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The user that PostgreSQL's programs run as, and how they are started. PostgreSQL refuses to run as root. */
export type Account = Readonly<{
  name: string;
  /** Turns a command line into one that runs as this user. */
  wrap: (command: readonly string[]) => string[];
  /**
   * The user and group that `spawn` starts the program as. Empty when no change of user is needed, or when `wrap`
   * changes the user.
   */
  ids: Readonly<{ uid?: number; gid?: number }>;
  /**
   * The owner that the data folder must have, with the ids outside of a user namespace. Null: the folder already has
   * the right owner.
   */
  owner: Readonly<{ uid: number; gid: number }> | null;
}>;

const asIs = (command: readonly string[]): string[] => [...command];

/**
 * The first account that can reach both `folder` and `program`. It becomes the owner of everything in `folder`.
 * @throws when there is none, with the reason of each account
 */
export function chooseAccount(folder: string, program: string): Account {
  if (process.getuid?.() !== 0) return { name: 'own', wrap: asIs, ids: {}, owner: null };
  const refusals: string[] = [];
  for (const account of accountsOfRoot()) {
    if (account.owner) handOver(folder, account.owner);
    const refusal = probe(account, folder, program);
    if (refusal === null) return account;
    refusals.push(`  ${account.name}: ${refusal}`);
  }
  throw new Error(
    `PostgreSQL does not run as root, and no other account can run it here\n${refusals.join('\n')}\n` +
      'run this as an ordinary user, or set DATABASE_URL to a PostgreSQL of your own',
  );
}

function accountsOfRoot(): Account[] {
  const { uid, gid } = unprivilegedIds();
  // A clone is often in a folder that only root may enter (mktemp -d, /root). The capability dac_override lets
  // PostgreSQL enter it. access(2) allows that only if the change of user keeps the capabilities. no_setuid_fixup keeps
  // them.
  const passing = ['+no_setuid_fixup', '+dac_override', '+dac_override'];
  const [bits, inherited, ambient] = passing;
  const setpriv = ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups'];
  const capable = [`--securebits=${bits}`, `--inh-caps=${inherited}`, `--ambient-caps=${ambient}`];
  return [
    {
      name: 'setpriv',
      wrap: (command) => [...setpriv, ...capable, ...command],
      ids: {},
      owner: { uid, gid },
    },
    {
      // Inside the user namespace the process is user 1000. Outside it is still root, so root owns the data.
      name: 'unshare',
      wrap: (command) => ['unshare', '--user', '--map-user=1000', ...command],
      ids: {},
      owner: { uid: 0, gid: 0 },
    },
    { name: 'setuid', wrap: asIs, ids: { uid, gid }, owner: { uid, gid } },
  ];
}

/** The ids of `postgres` if the machine has that user, else of `nobody`. */
function unprivilegedIds(): { uid: number; gid: number } {
  const users = readFileSync('/etc/passwd', 'utf8').split('\n');
  for (const name of ['postgres', 'nobody']) {
    const [, , uid, gid] = users.find((line) => line.startsWith(`${name}:`))?.split(':') ?? [];
    if (Number(uid) > 0 && Number(gid) > 0) return { uid: Number(uid), gid: Number(gid) };
  }
  return { uid: 65_534, gid: 65_534 };
}

function handOver(path: string, owner: { uid: number; gid: number }): void {
  if (lstatSync(path).uid === owner.uid) return;
  const entries = readdirSync(path, { recursive: true, withFileTypes: true });
  for (const entry of entries) lchownSync(join(entry.parentPath, entry.name), owner.uid, owner.gid);
  chownSync(path, owner.uid, owner.gid);
}

/** Checks that the account may write to the folder, then runs the program once. Null: both work. */
function probe(account: Account, folder: string, program: string): string | null {
  const script = 'test "$(id -u)" != 0 && test -w "$1" && exec "$2" --version';
  const [file, ...args] = account.wrap(['sh', '-c', script, 'sh', folder, program]);
  const done = spawnSync(file!, args, { ...account.ids, cwd: '/', encoding: 'utf8', timeout: 10_000 });
  if (done.status === 0) return null;
  return done.error?.message ?? (done.stderr.trim() || `cannot reach ${folder} or ${program}`);
}
