// One multi-row statement or one pipeline of this size takes some 60 ms; beyond it only the wait of the first hint in
// it grows.
const BATCH_MAX = 1_000;

type Flush = Readonly<{ ids: string[]; sent: Promise<void> }>;

/**
 * The hints of one queue. What arrives while an addition is under way goes out together in the next one, so that a
 * burst costs a few round trips, and a lone hint waits for nobody.
 */
export class HintLane {
  #inFlight: Promise<void> = Promise.resolve();
  #gathering: Flush | null = null;
  #isLate = false;

  /** @param addAll adds jobs for these ids; rejects when the store is away */
  constructor(
    private readonly addAll: (ids: readonly string[]) => Promise<void>,
    private readonly waitMs: number,
  ) {}

  /** @throws when the jobs were not added within the wait; they may still be */
  async send(ids: readonly string[]): Promise<void> {
    // A store that hangs is not fed further: what is collected for it would grow without end.
    if (this.#isLate) throw new Error(`the queue has not answered for more than ${this.waitMs} ms`);
    if (!this.#gathering || this.#gathering.ids.length >= BATCH_MAX) this.#gathering = this.#gather();
    this.#gathering.ids.push(...ids);
    return this.#gathering.sent;
  }

  /** Goes out after what is under way; whoever is in it waits no longer than the first of them. */
  #gather(): Flush {
    const ids: string[] = [];
    const added = this.#inFlight.then(() => {
      if (this.#gathering?.ids === ids) this.#gathering = null;
      return this.addAll(ids);
    });
    this.#inFlight = added.then(noop, noop).then(() => {
      this.#isLate = false;
    });
    return { ids, sent: this.#withinLimit(added) };
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
