import { fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

// A busy machine takes seconds to start five processes. A process that takes four minutes counts as hanging.
const READY_LIMIT_MS = 240_000;
const TICK_MS = 10; // the unit of /proc/<pid>/stat: USER_HZ is 100 on every Linux that Node runs on

const living = new Set();

/**
 * Starts a Node process that reports over its IPC channel when it is ready, as all contenders do.
 * @param spec name, entry, env, execArgv, logsDir
 */
export async function startProcess(spec) {
  const logFile = join(spec.logsDir, `${spec.name}.log`);
  const log = openSync(logFile, 'a');
  const child = fork(spec.entry, spec.args ?? [], {
    execArgv: spec.execArgv ?? [],
    env: spec.env,
    stdio: ['ignore', log, log, 'ipc'],
  });
  closeSync(log);
  living.add(child);
  child.once('exit', () => living.delete(child));
  await ready(child, spec.name, logFile);
  return {
    name: spec.name,
    child,
    pid: child.pid,
    isAlive: () => living.has(child),
    stop: () => stop(child),
  };
}

function ready(child, name, logFile) {
  return new Promise((resolve, reject) => {
    const fail = (what) => {
      child.kill('SIGKILL');
      reject(new Error(`${name} ${what}\n${readFileSync(logFile, 'utf8').slice(-2_000)}`));
    };
    const late = setTimeout(() => fail('is not ready in time'), READY_LIMIT_MS);
    const died = () => fail('ended before it was ready');
    child.once('exit', died);
    child.on('message', function hear(message) {
      if (!message.ready) return;
      clearTimeout(late);
      child.off('exit', died);
      child.off('message', hear);
      resolve();
    });
  });
}

async function stop(child) {
  if (!living.has(child)) return;
  const late = setTimeout(() => child.kill('SIGKILL'), 10_000);
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
  clearTimeout(late);
}

/** Stops all processes that this module started. */
export const stopAll = () => Promise.all([...living].map(stop));

/** The CPU time of a process so far, in user and kernel mode. */
export function cpuMsOf(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

/** The CPU time of all children of a process, including those that have ended. */
export function cpuMsOfChildren(parent) {
  const fieldsOf = (pid) => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const [, , , , , , , , , , , , , endedUser, endedSystem] = fieldsOf(parent);
  return pids.reduce(
    (sum, pid) => {
      try {
        return Number(fieldsOf(pid)[1]) === parent ? sum + cpuMsOf(pid) : sum;
      } catch {
        return sum; // the process has ended meanwhile
      }
    },
    (Number(endedUser) + Number(endedSystem)) * TICK_MS,
  );
}

/** The resident memory of a process, now and at its highest. */
export function memoryMbOf(pid) {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const read = (field) => Math.round(Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(status)[1]) / 1_024);
  return { now: read('VmRSS'), highest: read('VmHWM') };
}

/**
 * The share of all cores in use, measured over half a second. Called while the benchmark is idle, it shows the load of
 * other programs.
 */
export async function machineBusyShare() {
  const read = () => {
    const [user, nice, system, idle, wait, ...rest] = readFileSync('/proc/stat', 'utf8')
      .split('\n')[0]
      .trim()
      .split(/\s+/)
      .slice(1)
      .map(Number);
    const busy = user + nice + system + rest.slice(0, 3).reduce((sum, n) => sum + n, 0);
    return { busy, all: busy + idle + wait };
  };
  const before = read();
  await new Promise((resolve) => setTimeout(resolve, 500));
  const after = read();
  return (after.busy - before.busy) / Math.max(1, after.all - before.all);
}
