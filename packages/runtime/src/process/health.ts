import type { Logger } from '../observe/log.js';

export type HealthReport = Readonly<{ ok: boolean; checks: Record<string, string> }>;

/** Whether one dependency can do its work. Rejects with an error whose message says in words why not. */
export type Check = () => Promise<void>;

// One look per second, however many ask: a load balancer, an orchestrator and every stranger may.
const KEPT_MS = 1_000;
// Two seconds: a load balancer's probe commonly gives up after five, and wants an answer, not a time-out.
const LIMIT_MS = 2_000;
// How soon a change is in the log where nobody asks.
const WATCH_MS = 5_000;

/** The checks of a process. Their answers are shared by all who ask, and each change of one is a line in the log. */
export class Health {
  readonly #checks = new Map<string, OneCheck>();
  readonly #log: Pick<Logger, 'info' | 'warn'> | undefined;
  #looked: { atMs: number; report: Promise<HealthReport> } | undefined;

  constructor(log?: Pick<Logger, 'info' | 'warn'>) {
    this.#log = log;
  }

  add(name: string, check: Check): void {
    this.#checks.set(name, new OneCheck(check));
    this.#looked = undefined;
  }

  /** The event loop turns, or nobody would hear this. */
  alive(): HealthReport {
    return { ok: true, checks: {} };
  }

  /** As it was found within the last second. */
  ready(): Promise<HealthReport> {
    const nowMs = performance.now();
    if (!this.#looked || nowMs - this.#looked.atMs >= KEPT_MS)
      this.#looked = { atMs: nowMs, report: this.#look() };
    return this.#looked.report;
  }

  /** Looks by itself, so that the log says what is wrong with a process that nobody asks. Returns what ends it. */
  watch(): () => void {
    void this.ready();
    const timer = setInterval(() => void this.ready(), WATCH_MS).unref();
    return () => clearInterval(timer);
  }

  async #look(): Promise<HealthReport> {
    const entries = await Promise.all(
      [...this.#checks].map(async ([name, check]) => [name, await this.#ask(name, check)] as const),
    );
    return { ok: entries.every(([, answer]) => answer === 'ok'), checks: Object.fromEntries(entries) };
  }

  async #ask(name: string, check: OneCheck): Promise<string> {
    const before = check.answer;
    const answer = await check.ask();
    if (answer === before) return answer;
    if (answer !== 'ok') this.#log?.warn({ check: name }, `not ready: ${name}: ${answer}`);
    else if (before !== undefined) this.#log?.info({ check: name }, `ready again: ${name}`);
    return answer;
  }
}

class OneCheck {
  readonly #check: Check;
  #underWay: Promise<void> | undefined;
  /** The last one. */
  answer: string | undefined;

  constructor(check: Check) {
    this.#check = check;
  }

  /** A check that does not answer is waited for by the next look too, and not begun once more. */
  async ask(): Promise<string> {
    this.#underWay ??= this.#check().finally(() => {
      this.#underWay = undefined;
    });
    this.answer = await answerOf(this.#underWay);
    return this.answer;
  }
}

async function answerOf(check: Promise<void>): Promise<string> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(reject, LIMIT_MS, new Error(`no answer in ${LIMIT_MS} ms`)).unref();
  });
  try {
    await Promise.race([check, limit]);
    return 'ok';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    clearTimeout(timer);
  }
}
