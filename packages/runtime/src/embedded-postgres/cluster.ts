import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Account, chooseAccount } from './account.js';
import type { Binaries } from './binaries.js';
import { cleanEnv } from './postmaster.js';

const run = promisify(execFile);

export const USER = 'replenish';

export type Cluster = Readonly<{ dataDir: string; password: string; appPassword: string; account: Account }>;

/** Opens the data folder, and creates it with its passwords if there is none. */
export async function openCluster(dir: string, binaries: Binaries, durable: boolean): Promise<Cluster> {
  const dataDir = join(dir, 'data');
  const account = existsSync(dataDir)
    ? chooseAccount(dataDir, binaries.postgres)
    : await createCluster(dir, dataDir, binaries, durable);
  return {
    dataDir,
    account,
    password: readFileSync(join(dir, 'password'), 'utf8').trim(),
    appPassword: appPasswordIn(dir),
  };
}

/**
 * Creates the data folder under another name, then renames it. If the first start is killed, the half-made folder does
 * not look like a database.
 */
async function createCluster(
  dir: string,
  dataDir: string,
  binaries: Binaries,
  durable: boolean,
): Promise<Account> {
  const unfinished = `${dataDir}.new`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { mode: 0o700 });
  const account = chooseAccount(unfinished, binaries.postgres);
  const passwordFile = writePassword(dir, account);
  const [file, ...args] = account.wrap([
    binaries.initdb,
    ...['--pgdata', unfinished, '--username', USER, '--pwfile', passwordFile],
    ...['--auth', 'scram-sha-256', '--encoding', 'UTF8', '--locale', 'C', '--no-instructions'],
    ...(durable ? [] : ['--no-sync']),
  ]);
  await run(file!, args, { ...account.ids, cwd: '/', env: cleanEnv }).catch((error: { stderr?: string }) => {
    throw new Error(`initdb failed: ${error.stderr?.trim()}`, { cause: error });
  });
  renameSync(unfinished, dataDir);
  return account;
}

/**
 * The password of the processes' role. A data folder of an older release has no such password, so it is created here.
 */
function appPasswordIn(dir: string): string {
  const path = join(dir, 'app-password');
  if (!existsSync(path))
    writeFileSync(path, `${randomBytes(24).toString('base64url')}\n`, { mode: 0o600, flag: 'wx' });
  return readFileSync(path, 'utf8').trim();
}

/** Writes a new password to a file that only the account that runs initdb can read. */
function writePassword(dir: string, account: Account): string {
  const path = join(dir, 'password');
  writeFileSync(path, `${randomBytes(24).toString('base64url')}\n`, { mode: 0o600 });
  chmodSync(path, 0o600);
  if (account.owner) chownSync(path, account.owner.uid, account.owner.gid);
  return path;
}
