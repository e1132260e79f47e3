// npm passes a terminal's Ctrl-C on to us, which the terminal has sent us already: two signals, one wish.
const SAME_WISH_MS = 1_000;

/** When and how the fleet is to end: a signal, or a fault it cannot live with. */
export class Ending {
  /** Settles with the exit code. */
  readonly asked: Promise<number>;
  readonly #abort = new AbortController();
  #askedAtMs = 0;
  #resolve!: (exitCode: number) => void;

  constructor() {
    this.asked = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** The first one who asks decides the exit code. */
  ask(exitCode: number): void {
    if (this.signal.aborted) return;
    this.#askedAtMs = Date.now();
    this.#abort.abort();
    this.#resolve(exitCode);
  }

  /** What is left of `limitMs` since the end was asked for. */
  leftMs(limitMs: number): number {
    return this.#askedAtMs + limitMs - Date.now();
  }

  /** The first signal asks; one that comes a second or more later calls `force`. */
  onSignals(force: () => void): void {
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(name, () => {
        if (this.signal.aborted && this.leftMs(SAME_WISH_MS) < 0) force();
        this.ask(0);
      });
    }
  }
}
