// An addition of this many hints, in one statement or pipeline, takes about 60 ms. A larger one only delays its first
// hint.
const BATCH_MAX = 1_000;

type HintBatch<Hint> = Readonly<{ hints: Hint[]; sent: Promise<void> }>;

/**
 * Adds the hints of one queue. Hints that arrive while an addition is under way share the next addition. So a burst
 * needs few round trips, and a lone hint is added immediately.
 */
export class HintLane<Hint> {
  #inFlight: Promise<void> = Promise.resolve();
  #gathering: HintBatch<Hint> | null = null;
  #isLate = false;

  /** @param addAll adds jobs for these hints. It rejects if the store is away */
  constructor(
    private readonly addAll: (hints: readonly Hint[]) => Promise<void>,
    private readonly waitMs: number,
  ) {}

  /** @throws if the jobs were not added in time. They may still be added later */
  async send(hints: readonly Hint[]): Promise<void> {
    // A store that hangs gets no more hints, because they would pile up without end.
    if (this.#isLate) throw new Error(`the queue has not answered for more than ${this.waitMs} ms`);
    if (!this.#gathering || this.#gathering.hints.length >= BATCH_MAX) this.#gathering = this.#gather();
    this.#gathering.hints.push(...hints);
    return this.#gathering.sent;
  }

  /**
   * Begins a batch, which is added after the addition under way. The time limit of the whole batch counts from its
   * first hint.
   */
  #gather(): HintBatch<Hint> {
    const hints: Hint[] = [];
    const added = this.#inFlight.then(() => {
      if (this.#gathering?.hints === hints) this.#gathering = null;
      return this.addAll(hints);
    });
    this.#inFlight = added.then(noop, noop).then(() => {
      this.#isLate = false;
    });
    return { hints, sent: this.#withinLimit(added) };
  }

  #withinLimit(added: Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#isLate = true;
        reject(new Error(`the queue did not answer within ${this.waitMs} ms`));
      }, this.waitMs);
      added.then(resolve, reject).finally(() => clearTimeout(timer));
    });
  }
}

const noop = (): void => {};
