// A terminal sends Ctrl-C to npm and to us, and npm sends it again. Two signals within this time are one request.
const SAME_WISH_MS = 1_000;

/** Decides when the fleet ends: after a signal or a fatal fault. */
export class Ending {
  /** Resolves with the exit code when the end is requested. */
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

  /** Requests the end. The first request decides the exit code. */
  ask(exitCode: number): void {
    if (this.signal.aborted) return;
    this.#askedAtMs = Date.now();
    this.#abort.abort();
    this.#resolve(exitCode);
  }

  /** The rest of `limitMs`, counted from the request to end. */
  leftMs(limitMs: number): number {
    return this.#askedAtMs + limitMs - Date.now();
  }

  /** The first signal requests the end. A signal that comes a second or more later calls `force`. */
  onSignals(force: () => void): void {
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(name, () => {
        if (this.signal.aborted && this.leftMs(SAME_WISH_MS) < 0) force();
        this.ask(0);
      });
    }
  }
}
