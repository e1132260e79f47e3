import type { JobQueue } from './catalogue.js';

const POLL_MS = 5_000;

/**
 * Notices when jobs wait and no id is begun. It looks at ids and not at jobs, because the eight ids of one job may wait
 * for turns.
 */
export class Watchdog {
  #movedAtMs = performance.now();
  #isWaiting = false;
  readonly #timer: NodeJS.Timeout;

  constructor(
    private readonly queue: () => Promise<JobQueue>,
    private readonly stuckAfterMs: number,
  ) {
    this.#timer = setInterval(() => void this.#poll(), Math.min(POLL_MS, stuckAfterMs / 3)).unref();
  }

  started(): void {
    this.#movedAtMs = performance.now();
  }

  isStuck(): boolean {
    return this.#isWaiting && performance.now() - this.#movedAtMs >= this.stuckAfterMs;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  async #poll(): Promise<void> {
    // `ping()` reports a store that does not answer.
    const waiting = await this.queue()
      .then((queue) => queue.getWaitingCount())
      .catch(() => 0);
    this.#isWaiting = waiting > 0;
    if (!this.#isWaiting) this.started();
  }
}
