import { spawnSync } from 'node:child_process';
import { chownSync, lchownSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** PostgreSQL refuses to run as root. An account is how, and as whom, its programs are started instead. */
export type Account = Readonly<{
  name: string;
  /** Puts what is needed before a command line. */
  wrap: (command: readonly string[]) => string[];
  /** Given to `spawn`; empty unless the kernel's own change of user is all there is. */
  ids: Readonly<{ uid?: number; gid?: number }>;
  /** Who must own the data as root sees it. Null: leave it, everything is ours already. */
  owner: Readonly<{ uid: number; gid: number }> | null;
}>;

const asIs = (command: readonly string[]): string[] => [...command];

/**
 * The first account that can reach both `folder` and `program`; whatever is in `folder` is handed over to it.
 * @throws when there is none, with what each one answered.
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
  // A clone often lies in a folder that only root may enter (mktemp -d, /root). dac_override lets PostgreSQL pass, and
  // access(2) agrees only when the change of user leaves the capabilities be: no_setuid_fixup.
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
      // Inside its own user namespace it is user 1000; outside it is root still, who owns the data.
      name: 'unshare',
      wrap: (command) => ['unshare', '--user', '--map-user=1000', ...command],
      ids: {},
      owner: { uid: 0, gid: 0 },
    },
    { name: 'setuid', wrap: asIs, ids: { uid, gid }, owner: { uid, gid } },
  ];
}

/** `postgres` when the machine has that user, `nobody` otherwise. */
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

/** Runs the program once, after writing rights on the folder were tested by the same account. Null: it works. */
function probe(account: Account, folder: string, program: string): string | null {
  const script = 'test "$(id -u)" != 0 && test -w "$1" && exec "$2" --version';
  const [file, ...args] = account.wrap(['sh', '-c', script, 'sh', folder, program]);
  const done = spawnSync(file!, args, { ...account.ids, cwd: '/', encoding: 'utf8', timeout: 10_000 });
  if (done.status === 0) return null;
  return done.error?.message ?? (done.stderr.trim() || `cannot reach ${folder} or ${program}`);
}
