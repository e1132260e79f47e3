import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import type { ReadyMessage } from '@replenish/runtime';
import { until } from '../until.js';

export type ProcessSpec = Readonly<{
  name: string;
  entry: string;
  logFile: string;
  crashDir: string;
  env: NodeJS.ProcessEnv;
}>;

// A slow machine may start several processes at once. A process that takes longer than this counts as hanging.
const READY_LIMIT_MS = 240_000;

/** One real process of a fleet under test, with its crash points compiled in. */
export class FleetProcess {
  readonly #spec: ProcessSpec;
  readonly #keepsAlive: () => boolean;
  #child: ChildProcess | null = null;
  #ready = false;
  #stopping = false;
  /** The number of starts so far. */
  starts = 0;

  constructor(spec: ProcessSpec, keepsAlive: () => boolean) {
    this.#spec = spec;
    this.#keepsAlive = keepsAlive;
  }

  /** @throws while the process does not run */
  get pid(): number {
    if (!this.#child?.pid) throw new Error(`${this.#spec.name} is not alive`);
    return this.#child.pid;
  }

  get isAlive(): boolean {
    return this.#child !== null;
  }

  kill(signal: NodeJS.Signals = 'SIGKILL'): void {
    process.kill(this.pid, signal);
  }

  start(): void {
    const { entry, env, logFile, crashDir } = this.#spec;
    const log = openSync(logFile, 'a');
    const child = fork(entry, [`--crash-points=${crashDir}`], {
      execArgv: ['--conditions=crash-points'],
      env,
      stdio: ['ignore', log, log, 'ipc'],
    });
    closeSync(log);
    this.#child = child;
    this.#ready = false;
    this.starts += 1;
    child.on('message', (message: ReadyMessage) => {
      if (message.ready) this.#ready = true;
    });
    child.once('exit', () => {
      this.#child = null;
      this.#ready = false;
      if (!this.#stopping && this.#keepsAlive())
        setTimeout(() => this.#stopping || this.start(), 100).unref();
    });
  }

  /** @throws with the log of the process if it ends, or is not ready in time */
  async ready(): Promise<void> {
    await until(
      () => this.#ready || (!this.isAlive && !this.#keepsAlive()),
      { limitMs: READY_LIMIT_MS },
      `${this.#spec.name} ready`,
    ).catch((error: Error) => {
      throw new Error(`${error.message}\n${this.log()}`);
    });
    if (!this.#ready) throw new Error(`${this.#spec.name} ended before it was ready\n${this.log()}`);
  }

  log(): string {
    return readFileSync(this.#spec.logFile, 'utf8');
  }

  /** Sends SIGTERM, and SIGKILL after ten seconds. A frozen process is continued first. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const child = this.#child;
    if (!child) return;
    const late = setTimeout(() => child.kill('SIGKILL'), 10_000);
    const ended = once(child, 'exit');
    child.kill('SIGCONT');
    child.kill('SIGTERM');
    await ended;
    clearTimeout(late);
  }
}
