import type { Logger } from '../observe/log.js';

export type HealthReport = Readonly<{ ok: boolean; checks: Record<string, string> }>;

/** Resolves when a dependency works. Rejects with an error whose message says what is wrong. */
export type Check = () => Promise<void>;

// The checks run at most once per second, even if many load balancers, orchestrators and strangers ask for them.
const CACHE_MS = 1_000;
// Probes of load balancers commonly give up after five seconds. Two seconds leave time for an answer that says what is
// wrong.
const LIMIT_MS = 2_000;
// How often `watch` runs the checks.
const WATCH_MS = 5_000;

/** The checks of a process. All callers share their results, and each change of a result is one line in the log. */
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

  /** The result is always ok, because a process that can answer is alive. */
  alive(): HealthReport {
    return { ok: true, checks: {} };
  }

  /** The result of the checks, at most a second old. */
  ready(): Promise<HealthReport> {
    const nowMs = performance.now();
    if (!this.#looked || nowMs - this.#looked.atMs >= CACHE_MS)
      this.#looked = { atMs: nowMs, report: this.#look() };
    return this.#looked.report;
  }

  /**
   * Runs the checks regularly, so that the log shows a fault even when nothing asks for readiness. Returns the function
   * that stops it.
   */
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
  /** The result of the last run. */
  answer: string | undefined;

  constructor(check: Check) {
    this.#check = check;
  }

  /** If the previous run of the check is still under way, this waits for it and starts no second one. */
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
