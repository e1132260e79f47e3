import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * `born` is the start time of the process. It is needed because systems reuse process ids, in a container after every
 * restart.
 */
export type Holder = Readonly<{ pid: number; born: string } & FleetAddresses>;

/** The addresses of the ingress and of the sandbox. */
export type FleetAddresses = Readonly<{ url: string; sandboxUrl: string }>;

export type LauncherLock =
  | Readonly<{
      taken: true /** An earlier fleet was killed: its processes may need a moment. */;
      stale: boolean;
      release: () => void;
    }>
  | Readonly<{ taken: false; holder: Holder }>;

/** Takes the lock of the folder, which allows one fleet. The lock of a dead fleet is replaced. */
export function takeLock(dir: string, addresses: FleetAddresses): LauncherLock {
  const path = join(dir, 'lock');
  const ours: Holder = { pid: process.pid, born: birthOf(process.pid), ...addresses };
  const release = () => {
    if (read(path)?.pid === ours.pid) rmSync(path, { force: true });
  };
  for (let stale = false; ; stale = true) {
    if (create(path, ours)) return { taken: true, stale, release };
    const holder = read(path);
    if (holder && birthOf(holder.pid) === holder.born && holder.born !== '') return { taken: false, holder };
    setAside(path, holder);
  }
}

/** The running fleet of a folder. Null when there is none. */
export function livingHolder(dir: string): Holder | null {
  const holder = read(join(dir, 'lock'));
  return holder && holder.born !== '' && birthOf(holder.pid) === holder.born ? holder : null;
}

function create(path: string, holder: Holder): boolean {
  try {
    writeFileSync(path, JSON.stringify(holder), { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/**
 * Moves a stale lock away. Two starts may find the same lock stale. If the second start moves the new lock of the first
 * one, it puts that lock back.
 */
function setAside(path: string, judged: Holder | null): void {
  const aside = `${path}.${process.pid}`;
  try {
    renameSync(path, aside);
    if (read(aside)?.pid !== judged?.pid) linkSync(aside, path);
  } catch (error) {
    if (!['ENOENT', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
  rmSync(aside, { force: true });
}

function read(path: string): Holder | null {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Holder;
  } catch {
    return null;
  }
}

/**
 * The start time of a process in ticks of the kernel. It is `alive` on systems without /proc, and empty when the
 * process does not run.
 */
function birthOf(pid: number): string {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return '';
  }
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return fields.slice(fields.lastIndexOf(')') + 2).split(' ')[19] ?? 'alive';
  } catch {
    return process.platform === 'linux' ? '' : 'alive';
  }
}
