import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, processesNaming, until } from '@replenish/testing';

/** A start of the fleet in a folder of its own and on ports of its own, seen from outside. */
export class Launcher {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown[]>;
  output = '';

  constructor(script: readonly string[], env: NodeJS.ProcessEnv) {
    this.#child = spawn(process.execPath, script, { env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#ended = once(this.#child, 'close');
    for (const stream of [this.#child.stdout!, this.#child.stderr!]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
      });
    }
  }

  get pid(): number {
    return this.#child.pid!;
  }

  async says(text: string | RegExp, limitMs = 90_000): Promise<void> {
    await until(() => this.has(text), { limitMs }, `the launcher says ${text}`).catch((error: Error) => {
      throw new Error(`${error.message}\n${this.output}`);
    });
  }

  has(text: string | RegExp): boolean {
    return typeof text === 'string' ? this.output.includes(text) : text.test(this.output);
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Ctrl-C in a terminal: every process of the group gets the signal. */
  ctrlC(): void {
    process.kill(-this.pid, 'SIGINT');
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** Waits for the end. Returns the exit code or the signal. */
  async ended(): Promise<unknown> {
    const [code, signal] = await this.#ended;
    return code ?? signal;
  }
}

export class Ground {
  readonly dir = mkdtempSync(join(tmpdir(), 'replenish-start-'));
  readonly #launchers: Launcher[] = [];
  env: NodeJS.ProcessEnv = {};

  async prepare(): Promise<void> {
    const [ingress, dashboard, sandbox, alibaba, alipay, stripe] = await Promise.all(
      Array.from({ length: 6 }, () => freePort()),
    );
    this.env = {
      PATH: process.env.PATH,
      REPLENISH_DIR: this.dir,
      INGRESS_PORT: String(ingress),
      DASHBOARD_PORT: String(dashboard),
      SANDBOX_PORT: String(sandbox),
      SANDBOX_ALIBABA_PORT: String(alibaba),
      SANDBOX_ALIPAY_PORT: String(alipay),
      SANDBOX_STRIPE_PORT: String(stripe),
      METRICS_PORT: '0',
    };
  }

  start(script: string, ...args: string[]): Launcher {
    const launcher = new Launcher([script, ...args], this.env);
    this.#launchers.push(launcher);
    return launcher;
  }

  /** The processes that still run on this folder. */
  leftovers(): string[] {
    return processesNaming(this.dir).map(({ pid, command }) => `${pid} ${command}`);
  }

  async nothingLeft(limitMs: number): Promise<void> {
    await until(() => this.leftovers().length === 0, { limitMs }, 'no process left').catch((error: Error) => {
      throw new Error(`${error.message}\n${this.leftovers().join('\n')}`);
    });
  }

  read(name: string): string {
    return readFileSync(join(this.dir, name), 'utf8');
  }

  json(name: string): Record<string, string> {
    return JSON.parse(this.read(name));
  }

  async clear(): Promise<void> {
    for (const launcher of this.#launchers) launcher.signal('SIGKILL');
    await this.nothingLeft(15_000);
    rmSync(this.dir, { recursive: true, force: true });
  }
}
