import type { Database } from 'lmdb';
import type { DueKey, SandboxStore } from './store.js';

/** Rows read from the store at once. */
const READ_AHEAD = 128;
// A timer never sleeps longer, so that a clock that was set back delays work by a minute at most.
const LONGEST_SLEEP_MS = 60_000;
// Alarms ring on a grid, so that what falls due about now shares one turn and with it one transaction.
const GRID_MS = 10;

export type DueRow<Work> = Readonly<{ key: DueKey; value: Work }>;

/** What becomes of a row after its run: gone, left as it is for the next start, or due again. */
export type Next<Work> = 'done' | 'kept' | Readonly<{ dueAtMs: number; work: Work }>;

/**
 * Runs stored work when it is due, a bounded number at a time. What is not yet due, or waits for a place, is on disk.
 * A row leaves the store after its run: whoever dies in between finds it again, so work is done at least once.
 */
export class DueQueue<Work> {
  readonly #store: SandboxStore;
  readonly #rows: Database<Work, DueKey>;
  readonly #run: (row: DueRow<Work>) => Promise<Next<Work>>;
  readonly #concurrency: number;
  /** Rows that are still stored although they run or have run. */
  readonly #inHand = new Set<string>();
  readonly #running = new Set<Promise<void>>();
  #ready: DueRow<Work>[] = [];
  #isFull = false;
  #isPaused = true;
  #timer: NodeJS.Timeout | undefined;
  #wakesAtMs = Number.POSITIVE_INFINITY;

  constructor(
    store: SandboxStore,
    rows: Database<Work, DueKey>,
    concurrency: number,
    run: (row: DueRow<Work>) => Promise<Next<Work>>,
  ) {
    this.#store = store;
    this.#rows = rows;
    this.#run = run;
    this.#concurrency = concurrency;
  }

  /** Stores work; the same name at the same time is the same work. Resolves when it is committed. */
  async add(dueAtMs: number, name: string, work: Work): Promise<void> {
    await this.#rows.put([dueAtMs, name], work);
    this.#wakeAt(dueAtMs);
  }

  resume(): void {
    this.#isPaused = false;
    this.#pump();
  }

  /** Starts nothing more; what runs goes on. */
  pause(): void {
    this.#isPaused = true;
    clearTimeout(this.#timer);
    this.#wakesAtMs = Number.POSITIVE_INFINITY;
    this.#ready = [];
  }

  /** Pauses for good and waits for what runs. */
  async stop(): Promise<void> {
    this.pause();
    await Promise.all(this.#running);
  }

  #wakeAt(dueAtMs: number): void {
    const nowMs = Date.now();
    const atMs = dueAtMs <= nowMs ? nowMs : Math.ceil(dueAtMs / GRID_MS) * GRID_MS;
    if (this.#isPaused || atMs >= this.#wakesAtMs) return;
    clearTimeout(this.#timer);
    this.#wakesAtMs = atMs;
    this.#timer = setTimeout(
      () => {
        this.#wakesAtMs = Number.POSITIVE_INFINITY;
        this.#pump();
      },
      Math.min(atMs - nowMs, LONGEST_SLEEP_MS),
    );
  }

  #pump(): void {
    this.#isFull = false;
    while (!this.#isPaused) {
      if (this.#running.size >= this.#concurrency) {
        this.#isFull = true;
        return;
      }
      if (this.#ready.length === 0) this.#ready = this.#readDue();
      const row = this.#ready.pop();
      if (!row) return;
      this.#start(row);
    }
  }

  /** Due rows that are not in hand, latest first; sets the alarm for the first row that is not due. */
  #readDue(): DueRow<Work>[] {
    const nowMs = Date.now();
    const due: DueRow<Work>[] = [];
    // Rows in hand are still stored: the limit must reach past them.
    for (const { key, value } of this.#rows.getRange({ limit: this.#inHand.size + READ_AHEAD })) {
      if (key[0] > nowMs) {
        this.#wakeAt(key[0]);
        break;
      }
      if (!this.#inHand.has(nameOf(key))) due.push({ key, value });
    }
    return due.reverse();
  }

  #start(row: DueRow<Work>): void {
    this.#inHand.add(nameOf(row.key));
    const running = this.#run(row).then((next) => {
      this.#running.delete(running);
      this.#end(row, next);
      // Without a queue behind it there is nothing to look for: `add` and the alarm wake us.
      if (this.#isFull) this.#pump();
    });
    this.#running.add(running);
  }

  #end({ key }: DueRow<Work>, next: Next<Work>): void {
    if (next === 'kept') return;
    const remove = async () => {
      await this.#rows.remove(key);
      this.#inHand.delete(nameOf(key));
    };
    if (next === 'done') {
      this.#store.lazily(() => void remove());
      return;
    }
    void remove();
    void this.add(next.dueAtMs, key[1], next.work);
  }
}

const nameOf = (key: DueKey): string => `${key[0]}/${key[1]}`;
