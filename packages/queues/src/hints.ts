import DataLoader from 'dataloader';

// One multi-row statement or one pipeline of this size takes some 60 ms; beyond it only the wait of the first hint in it grows.
const BATCH_MAX = 1_000;

/**
 * The hints of one queue. What arrives while an addBulk is under way goes out together in the next one, so that a
 * burst costs a few round trips, and a lone hint waits for nobody.
 */
export class HintLane {
  #inFlight: Promise<void> = Promise.resolve();
  #isLate = false;
  readonly #loader: DataLoader<string, true, string>;

  /** @param addAll adds one job an id; rejects when the store is away */
  constructor(
    private readonly addAll: (ids: readonly string[]) => Promise<void>,
    private readonly waitMs: number,
  ) {
    this.#loader = new DataLoader((ids) => this.#flush(ids), {
      cache: false,
      maxBatchSize: BATCH_MAX,
      batchScheduleFn: (dispatch) => void this.#inFlight.then(dispatch),
    });
  }

  /** @throws when the jobs were not added within the wait; they may still be */
  async send(ids: readonly string[]): Promise<void> {
    // A store that hangs is not fed further: what is collected for it would grow without end.
    if (this.#isLate) throw new Error(`the queue has not answered for more than ${this.waitMs} ms`);
    const sent = Promise.all(ids.map((id) => this.#loader.load(id)));
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#isLate = true;
        reject(new Error(`the queue did not answer within ${this.waitMs} ms`));
      }, this.waitMs);
      sent.then(() => resolve(), reject).finally(() => clearTimeout(timer));
    });
  }

  async #flush(ids: readonly string[]): Promise<true[]> {
    const adding = this.addAll(ids);
    this.#inFlight = adding.then(noop, noop).then(() => {
      this.#isLate = false;
    });
    await adding;
    return ids.map(() => true);
  }
}

const noop = (): void => {};
