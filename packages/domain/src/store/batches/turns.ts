export type TurnOptions = Readonly<{
  /** The most statements of this kind at once. Calls that arrive meanwhile form the next batch. */
  inFlightMax: number;
  /** The number of waiting calls from which a statement starts beside one that is under way. Default: 1. */
  besideMin?: number;
}>;

// A statement of a full batch takes some 20 ms. A statement that takes longer probably waits for a lock, so the calls
// behind it no longer wait for it.
const PATIENCE_MS = 100;

/**
 * Decides when the next batch starts. Without a statement under way it starts at once. Beside one it starts if it is
 * large enough, or if it has waited for PATIENCE_MS.
 */
export class Turns {
  readonly #inFlightMax: number;
  readonly #besideMin: number;
  readonly #batches: (() => void)[] = [];
  #callsWaiting = 0;
  #inFlight = 0;
  #patience: NodeJS.Timeout | undefined;

  constructor({ inFlightMax, besideMin = 1 }: TurnOptions) {
    this.#inFlightMax = inFlightMax;
    this.#besideMin = besideMin;
  }

  /** A call arrived. It belongs to the newest batch. */
  addCall(): void {
    this.#callsWaiting++;
    if (this.#batches.length > 0 && this.#callsWaiting === this.#besideMin) this.#startSoon();
  }

  /** A new batch waits for its turn. Calls may still join it. */
  addBatch(start: () => void): void {
    this.#batches.push(start);
    this.#startSoon();
  }

  /** The statement of a batch is sent. No call can join it any more. */
  started(calls: number): void {
    this.#callsWaiting -= calls;
  }

  ended(): void {
    this.#inFlight--;
    this.#startSoon();
  }

  #startSoon(): void {
    setImmediate(() => this.#startAll());
  }

  #startAll(): void {
    while (this.#mayStart() && (this.#inFlight === 0 || this.#callsWaiting >= this.#besideMin)) this.#start();
    if (this.#mayStart()) this.#patience ??= setTimeout(() => this.#start(), PATIENCE_MS);
  }

  #mayStart(): boolean {
    return this.#batches.length > 0 && this.#inFlight < this.#inFlightMax;
  }

  #start(): void {
    clearTimeout(this.#patience);
    this.#patience = undefined;
    this.#inFlight++;
    this.#batches.shift()!();
  }
}
