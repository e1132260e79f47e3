import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Account } from './account.js';

export type Exit = Readonly<{ code: number | null; signal: NodeJS.Signals | null }>;

/**
 * The script of the supervisor, a shell with a fork. The shell waits for PostgreSQL. The fork waits until our pipe
 * closes. The pipe also closes when this process is killed with `kill -9`, so PostgreSQL never outlives it. If the
 * shell is killed, the fork remains. SIGINT requests the fast shutdown. SIGTERM is sent before it because a shell
 * starts background jobs with SIGINT ignored, and PostgreSQL may not have set its handlers yet.
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

/**
 * The environment of PostgreSQL's programs. Our own environment is not passed on, because it holds secrets. Variables
 * such as PGPORT would also change the behaviour of PostgreSQL.
 */
export const cleanEnv: NodeJS.ProcessEnv = Object.freeze({
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  LC_ALL: 'C',
  TZ: 'UTC',
});

/**
 * Starts the command under the supervisor, in its own session. Ctrl-C in a terminal signals the whole process group,
 * but the database must end last.
 */
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

/** The process id in the data folder, as PostgreSQL wrote it. The process may have ended since. */
export function postmasterPid(dataDir: string): number | null {
  try {
    const pid = Number.parseInt(readFileSync(pidFile(dataDir), 'utf8'), 10);
    return pid > 0 ? pid : null;
  } catch {
    return null;
  }
}

/**
 * Ends a PostgreSQL that still runs on this folder. Two servers would corrupt the data, and the running one holds our
 * port. After `fastLimitMs` it is killed (SIGQUIT), and the next start recovers the data. If the process id in the file
 * belongs to another program, the file is deleted. After a restart a container reuses small ids, and PostgreSQL would
 * refuse to start because the process is alive.
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
