import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { FirstAdmin, PrepareAsk, PrepareNews } from './prepare.js';
import type { DemoClient } from './state/demo-client.js';

export type Preparation = Readonly<{
  /** Rejects when the migration fails. */
  migrated: Promise<unknown>;
  /** The client of the demo. Null when none was requested. */
  demo: Promise<DemoClient | null>;
  /** The first user of the console. Null unless this start made it. */
  admin: Promise<FirstAdmin | null>;
}>;

/** The preparing process, seen from the launcher. The process begins immediately to load Prisma's engines. */
export class Preparer {
  readonly #child: ChildProcess;

  constructor(entry: string) {
    this.#child = fork(entry, [], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  }

  run(ask: PrepareAsk): Preparation {
    const preparation = {
      migrated: this.#hear('migrated'),
      demo: ask.demo ? this.#hear('demo') : Promise.resolve(null),
      admin: ask.demo ? this.#hear('admin') : Promise.resolve(null),
    };
    // The demo client and the first user are awaited only when the fleet is up. A failure until then must not count as
    // unhandled.
    preparation.demo.catch(() => {});
    preparation.admin.catch(() => {});
    this.#child.send(ask);
    return preparation;
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }

  #hear<K extends keyof PrepareNews>(what: K): Promise<Exclude<PrepareNews[K], undefined>> {
    return new Promise((resolve, reject) => {
      this.#child.on('message', (news: PrepareNews) => {
        if (news.failed) reject(new Error(news.failed));
        const value = news[what];
        if (value !== undefined) resolve(value as Exclude<PrepareNews[K], undefined>);
      });
      this.#child.once('exit', () => reject(new Error(`the preparation ended too early: not ${what}`)));
    });
  }
}
