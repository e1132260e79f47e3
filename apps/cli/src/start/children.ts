import { type ChildProcess, fork } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { Env, ReadyMessage } from '@replenish/runtime';
import { lastFault, lastLines } from './logs.js';

export type ChildSpec = Readonly<{ name: string; entry: string }>;

type ChildrenDeps = Readonly<{
  logsDir: string;
  /** After this signal is aborted, no process is started. */
  ending: AbortSignal;
  say: (line: string) => void;
  /** Called when a child cannot start because its configuration is wrong. */
  onHopeless: (reason: string) => void;
}>;

type KeptChild = {
  spec: ChildSpec;
  env: Env;
  child: ChildProcess | null;
  waitMs: number;
  hasBeenReady: boolean;
};

const WAIT_FIRST_MS = 200;
const WAIT_LAST_MS = 5_000;
// A process that has run for this long works. If it dies later, the waits between restarts begin anew.
const SETTLED_AFTER_MS = 30_000;
const BAD_CONFIGURATION = 78; // EX_CONFIG in sysexits.h

// Six processes on one machine: a semi-space of 16 MB and few malloc arenas keep each of them below 200 MB under
// load.
const EXEC_ARGV = ['--max-semi-space-size=16', '--max-old-space-size=256'];

/** The processes of the fleet. A process that dies is started again, with growing waits. */
export class Children {
  readonly #deps: ChildrenDeps;
  readonly #kept: KeptChild[] = [];

  constructor(deps: ChildrenDeps) {
    this.#deps = deps;
  }

  start(spec: ChildSpec, env: Env): void {
    const kept: KeptChild = { spec, env, child: null, waitMs: WAIT_FIRST_MS, hasBeenReady: false };
    this.#kept.push(kept);
    this.#run(kept);
  }

  /** The names of the processes that have not been ready yet. */
  get unready(): readonly string[] {
    return this.#kept.filter(({ hasBeenReady }) => !hasBeenReady).map(({ spec }) => spec.name);
  }

  /** Sends SIGTERM to all, and SIGKILL to those that still run after `limitMs`. */
  async stop(limitMs: number): Promise<void> {
    const living = this.#kept.flatMap(({ child }) => (child ? [child] : []));
    const ends = living.map((child) => new Promise((resolve) => child.once('exit', resolve)));
    for (const child of living) child.kill('SIGTERM');
    const late = setTimeout(() => this.kill(), limitMs);
    await Promise.all(ends);
    clearTimeout(late);
  }

  kill(): void {
    for (const { child } of this.#kept) child?.kill('SIGKILL');
  }

  #run(kept: KeptChild): void {
    if (this.#deps.ending.aborted) return;
    const { name, entry } = kept.spec;
    const log = join(this.#deps.logsDir, `${name}.log`);
    const file = openSync(log, 'a', 0o600);
    const startedAt = Date.now();
    const child = fork(entry, [], {
      execArgv: EXEC_ARGV,
      env: { MALLOC_ARENA_MAX: '2', ...kept.env },
      stdio: ['ignore', file, file, 'ipc'],
    });
    closeSync(file);
    kept.child = child;
    child.on('message', (message: ReadyMessage) => {
      if (!message.ready) return;
      kept.hasBeenReady = true;
      this.#tell(name, 'ready', message.detail);
    });
    const ended = (code: number | null, signal: string | null) => {
      kept.child = null;
      if (!this.#deps.ending.aborted)
        this.#again(kept, { code, signal, log, livedMs: Date.now() - startedAt });
    };
    child.on('error', () => child.pid === undefined && ended(null, 'not spawned'));
    child.once('exit', ended);
  }

  #again(
    kept: KeptChild,
    end: { code: number | null; signal: string | null; log: string; livedMs: number },
  ): void {
    const { name } = kept.spec;
    if (end.code === BAD_CONFIGURATION) {
      this.#deps.onHopeless(`${name} refuses its configuration\n${lastLines(end.log, 20)}`);
      return;
    }
    if (end.livedMs > SETTLED_AFTER_MS) kept.waitMs = WAIT_FIRST_MS;
    // A killed process wrote no reason. The last error in its log comes from an earlier run.
    const why = end.code === null ? null : lastFault(end.log);
    this.#tell(
      name,
      'ended',
      `(${end.signal ?? `exit code ${end.code}`}), starts again in ${kept.waitMs} ms${why ? `: ${why}` : ''}`,
    );
    setTimeout(() => this.#run(kept), kept.waitMs);
    kept.waitMs = Math.min(kept.waitMs * 2, WAIT_LAST_MS);
  }

  #tell(name: string, what: string, detail: string): void {
    this.#deps.say(`  ${name.padEnd(22)} ${what}  ${detail}`);
  }
}
