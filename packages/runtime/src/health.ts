export type HealthReport = Readonly<{ ok: boolean; checks: Record<string, string> }>;

/** A check answers within its own limit: nothing is a fault, an error's message is what is wrong. */
export type Check = () => Promise<void>;

export class Health {
  readonly #checks = new Map<string, Check>();

  add(name: string, check: Check): void {
    this.#checks.set(name, check);
  }

  /** The event loop turns, or nobody would hear this. */
  alive(): HealthReport {
    return { ok: true, checks: {} };
  }

  async ready(): Promise<HealthReport> {
    const entries = await Promise.all(
      [...this.#checks].map(async ([name, check]) => [name, await ask(check)] as const),
    );
    return { ok: entries.every(([, answer]) => answer === 'ok'), checks: Object.fromEntries(entries) };
  }
}

// Two seconds: a load balancer's probe commonly gives up after five, and wants an answer, not a time-out.
const LIMIT_MS = 2_000;

async function ask(check: Check): Promise<string> {
  try {
    await Promise.race([
      check(),
      new Promise((_, reject) =>
        setTimeout(reject, LIMIT_MS, new Error(`no answer in ${LIMIT_MS} ms`)).unref(),
      ),
    ]);
    return 'ok';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
