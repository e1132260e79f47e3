import type { Logger } from '@replenish/runtime';

// While a store is away, every call fails. The first failure is one line in the log. Then there is one line per period.
const QUIET_MS = 10_000;

/** Logs the first fault of a series and the end of the series, and counts the faults between. */
export class Burst {
  #faults = 0;
  #loggedAtMs = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly log: Logger,
    private readonly subject: string,
  ) {}

  failed(error: unknown): void {
    this.#faults++;
    if (performance.now() - this.#loggedAtMs < QUIET_MS) return;
    this.#loggedAtMs = performance.now();
    this.log.warn({ reason: messageOf(error), faults: this.#faults }, `${this.subject} is failing`);
  }

  recovered(): void {
    if (this.#faults === 0) return;
    this.log.info({ faults: this.#faults }, `${this.subject} is back`);
    this.#faults = 0;
    this.#loggedAtMs = Number.NEGATIVE_INFINITY;
  }
}

/** A refused connection to a name with two addresses is an AggregateError, whose own message is empty. */
export function messageOf(error: unknown): string {
  if (error instanceof AggregateError && !error.message) return error.errors.map(messageOf).join('; ');
  return error instanceof Error ? error.message : String(error);
}
