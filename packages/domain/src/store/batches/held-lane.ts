import { isContended, isUnavailable } from '../database/failure.js';
import { type BatchRun, eachAlone } from './each-alone.js';

type Waiting<Ask, Answer> = { ask: Ask; resolve: (answer: Answer) => void; reject: (error: Error) => void };

// The most statements at once. Each occupies a connection of the pool while it waits for its lock.
const IN_FLIGHT_MAX = 2;

/**
 * Runs the calls whose lock another session holds, apart from all other calls. Calls with the same lock share a
 * statement and fail together if the lock is not obtained in time. After the first success, calls with this lock run
 * with all other calls again.
 */
export class HeldLane<Ask, Answer> {
  readonly #run: BatchRun<Ask, Answer>;
  readonly #batchMax: number;
  readonly #held = new Map<string, Waiting<Ask, Answer>[]>();
  readonly #underWay = new Set<string>();

  constructor(run: BatchRun<Ask, Answer>, batchMax: number) {
    this.#run = run;
    this.#batchMax = batchMax;
  }

  get isEmpty(): boolean {
    return this.#held.size === 0;
  }

  has(lock: string): boolean {
    return this.#held.has(lock);
  }

  learn(locks: readonly string[]): void {
    for (const lock of locks) if (!this.#held.has(lock)) this.#held.set(lock, []);
  }

  load(lock: string, ask: Ask): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#held.get(lock)!.push({ ask, resolve, reject });
      setImmediate(() => this.#startNext());
    });
  }

  #startNext(): void {
    for (const [lock, waiting] of this.#held) {
      if (this.#underWay.size >= IN_FLIGHT_MAX) return;
      if (waiting.length > 0 && !this.#underWay.has(lock)) void this.#serve(lock, waiting);
    }
  }

  /** Serves all calls of one lock. Calls that arrive meanwhile form the next batch. */
  async #serve(lock: string, waiting: Waiting<Ask, Answer>[]): Promise<void> {
    this.#underWay.add(lock);
    let isHeld = true;
    while (waiting.length > 0) {
      const batch = waiting.splice(0, this.#batchMax);
      const answers = await eachAlone(
        batch.map(({ ask }) => ask),
        this.#run,
        { isHopeless: isUnavailable },
      );
      isHeld = answers.some(isContended);
      // Calls that arrived meanwhile would wait for the same held lock.
      const late = isHeld ? waiting.splice(0) : [];
      const failure = answers.find(isContended) as Error;
      for (const [n, one] of batch.entries()) answer(one, answers[n]!);
      for (const one of late) one.reject(failure);
    }
    if (!isHeld) this.#held.delete(lock);
    this.#underWay.delete(lock);
    this.#startNext();
  }
}

function answer<Answer>({ resolve, reject }: Waiting<unknown, Answer>, given: Answer | Error): void {
  if (given instanceof Error) reject(given);
  else resolve(given);
}
