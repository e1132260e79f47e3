const WINDOW_MS = 60_000;

/**
 * The default limit per operation. Alibaba Cloud publishes 600 in 60 s for QueryAccountTransactions, and nothing for the
 * list of a fund account. A local fleet looks at the list every second per recharge, so the default is higher.
 */
export const CALLS_PER_MINUTE = 6_000;

/** Counts the calls per operation in windows of a minute. */
export class CallLimit {
  readonly #perMinute: number;
  readonly #counts = new Map<string, number>();
  #windowFromMs = 0;

  constructor(perMinute: number) {
    this.#perMinute = perMinute;
  }

  admits(action: string, nowMs: number): boolean {
    if (nowMs - this.#windowFromMs >= WINDOW_MS) {
      this.#windowFromMs = nowMs;
      this.#counts.clear();
    }
    const count = (this.#counts.get(action) ?? 0) + 1;
    this.#counts.set(action, count);
    return count <= this.#perMinute;
  }
}
