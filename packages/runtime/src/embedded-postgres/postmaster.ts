import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Account } from './account.js';

export type Exit = Readonly<{ code: number | null; signal: NodeJS.Signals | null }>;

/**
 * Two watchers in one shell: it waits for PostgreSQL, and its fork waits for the end of our pipe. `kill -9` of this
 * process closes the pipe too, so PostgreSQL never outlives it. Should the shell itself be killed, the fork goes on.
 * SIGINT is the fast shutdown; SIGTERM before it is for a PostgreSQL that has not set its handlers yet, since a shell
 * starts its background jobs with SIGINT ignored.
 */
const SUPERVISOR = `
exec 3<&0
"$@" 3<&- </dev/null &
pid=$!
( read -r _ <&3; kill -TERM "$pid"; kill -INT "$pid" ) 2>/dev/null &
watcher=$!
exec 3<&-
wait "$pid"
status=$?
kill "$watcher" 2>/dev/null
exit "$status"
`;

/** Nothing of our environment: secrets stay here, and PGPORT and the like would change what PostgreSQL does. */
export const cleanEnv: NodeJS.ProcessEnv = Object.freeze({
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  LC_ALL: 'C',
  TZ: 'UTC',
});

/** In a session of its own: Ctrl-C in a terminal reaches the whole process group, and the database must end last. */
export function spawnSupervised(account: Account, command: readonly string[], logFile: string): ChildProcess {
  const [file, ...args] = ['sh', '-c', SUPERVISOR, 'sh', ...account.wrap(command)];
  const log = openSync(logFile, 'a', 0o600);
  try {
    return spawn(file!, args, {
      ...account.ids,
      cwd: '/',
      detached: true,
      env: cleanEnv,
      stdio: ['pipe', log, log],
    });
  } finally {
    closeSync(log);
  }
}

const pidFile = (dataDir: string): string => join(dataDir, 'postmaster.pid');

/** The process id that PostgreSQL wrote into its data folder, whether it lives or not. */
export function postmasterPid(dataDir: string): number | null {
  try {
    const pid = Number.parseInt(readFileSync(pidFile(dataDir), 'utf8'), 10);
    return pid > 0 ? pid : null;
  } catch {
    return null;
  }
}

/**
 * Ends a PostgreSQL that still runs on this folder: two on one folder would ruin it, and its port is ours. After
 * `fastLimitMs` it is ended hard (SIGQUIT), which leaves the rest to recovery at the next start.
 * A file that names a process of another kind is removed: in a container the same small numbers come again after a
 * restart, and PostgreSQL, which only asks whether the number is alive, would refuse to start.
 */
export async function endLeftover(dataDir: string, fastLimitMs: number): Promise<void> {
  const pid = postmasterPid(dataDir);
  if (pid === null) return;
  if (!isPostmasterOf(pid, dataDir)) {
    rmSync(pidFile(dataDir), { force: true });
    return;
  }
  signal(pid, 'SIGINT');
  if (await gone(pid, fastLimitMs)) return;
  signal(pid, 'SIGQUIT');
  if (!(await gone(pid, 5_000))) throw new Error(`PostgreSQL (process ${pid}) does not end`);
}

const isPostmasterOf = (pid: number, dataDir: string): boolean => {
  const line = commandLine(pid);
  return line.includes('postgres') && line.includes(dataDir);
};

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return process.platform === 'linux' ? '' : commandLineByPs(pid);
  }
}

function commandLineByPs(pid: number): string {
  try {
    return execFileSync('ps', ['-ww', '-o', 'command=', '-p', String(pid)], { encoding: 'utf8' });
  } catch {
    return '';
  }
}

function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}

async function gone(pid: number, limitMs: number): Promise<boolean> {
  const until = Date.now() + limitMs;
  while (signal(pid, 0)) {
    if (Date.now() > until) return false;
    await sleep(20);
  }
  return true;
}
