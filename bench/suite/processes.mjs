import { fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

// A machine that is busy with other things takes seconds to start five processes; a minute is a hang.
const READY_LIMIT_MS = 60_000;
const TICK_MS = 10; // of /proc/<pid>/stat: USER_HZ is 100 on every Linux that Node runs on

const living = new Set();

/**
 * A Node process that says over its channel when it is ready, as the fleet's and the peers' do.
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

/** Everything that was started here and lives. */
export const stopAll = () => Promise.all([...living].map(stop));

/** Processor time of a process so far, both modes. */
export function cpuMsOf(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

/** The same for the children of a process, of those that live and those that ended. */
export function cpuMsOfChildren(parent) {
  const fieldsOf = (pid) => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const [, , , , , , , , , , , , , endedUser, endedSystem] = fieldsOf(parent);
  return pids.reduce(
    (sum, pid) => {
      try {
        return Number(fieldsOf(pid)[1]) === parent ? sum + cpuMsOf(pid) : sum;
      } catch {
        return sum; // it ended while we looked
      }
    },
    (Number(endedUser) + Number(endedSystem)) * TICK_MS,
  );
}

/** Resident memory now and at its highest. */
export function memoryMbOf(pid) {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const read = (field) => Math.round(Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(status)[1]) / 1_024);
  return { now: read('VmRSS'), highest: read('VmHWM') };
}

/** Share of all cores that is at work, over half a second: what others take away while we do nothing. */
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
