import type { Database } from 'lmdb';
import type { DueKey, SandboxStore } from './store/store.js';

/** The number of rows that are read from the store together. */
const READ_AHEAD = 128;
// The longest time of a timer. If the clock is set back, work is delayed by a minute at most.
const LONGEST_SLEEP_MS = 60_000;
// Due times are rounded up to this grid, so that rows due at about the same time share one transaction.
const GRID_MS = 10;

export type DueRow<Work> = Readonly<{ key: DueKey; value: Work }>;

/** What happens to a row after its run: it is removed, stays stored until the next start, or gets a new due time. */
export type Next<Work> = 'done' | 'unchanged' | Readonly<{ dueAtMs: number; work: Work }>;

/**
 * Runs stored work when it is due, with a limited number of runs at a time. Work that is not due or has to wait is only
 * on disk. A row is removed after its run. If the process dies in between, the row runs again, so each row runs at
 * least once.
 */
export class DueQueue<Work> {
  readonly #store: Pick<SandboxStore, 'lazily'>;
  readonly #rows: Database<Work, DueKey>;
  readonly #run: (row: DueRow<Work>) => Promise<Next<Work>>;
  readonly #concurrency: number;
  /** Names of rows that run or have run, but are still stored. */
  readonly #started = new Set<string>();
  readonly #running = new Set<Promise<void>>();
  #ready: DueRow<Work>[] = [];
  #isFull = false;
  #isPaused = true;
  #timer: NodeJS.Timeout | undefined;
  #wakesAtMs = Number.POSITIVE_INFINITY;

  constructor(
    store: Pick<SandboxStore, 'lazily'>,
    rows: Database<Work, DueKey>,
    concurrency: number,
    run: (row: DueRow<Work>) => Promise<Next<Work>>,
  ) {
    this.#store = store;
    this.#rows = rows;
    this.#run = run;
    this.#concurrency = concurrency;
  }

  /** Stores work. A second call with the same name and time replaces the work. Resolves when it is committed. */
  async add(dueAtMs: number, name: string, work: Work): Promise<void> {
    await this.#rows.put([dueAtMs, name], work);
    this.#wakeAt(dueAtMs);
  }

  resume(): void {
    this.#isPaused = false;
    this.#pump();
  }

  /** Starts no more work. Running work continues. */
  pause(): void {
    this.#isPaused = true;
    clearTimeout(this.#timer);
    this.#wakesAtMs = Number.POSITIVE_INFINITY;
    this.#ready = [];
  }

  /** Starts no more work, and waits until running work has ended. */
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

  /** Due rows that have not started, latest first. Sets the timer for the first row that is not due. */
  #readDue(): DueRow<Work>[] {
    const nowMs = Date.now();
    const due: DueRow<Work>[] = [];
    // Started rows are still stored, so they are added to the limit.
    for (const { key, value } of this.#rows.getRange({ limit: this.#started.size + READ_AHEAD })) {
      if (key[0] > nowMs) {
        this.#wakeAt(key[0]);
        break;
      }
      if (!this.#started.has(nameOf(key))) due.push({ key, value });
    }
    return due.reverse();
  }

  #start(row: DueRow<Work>): void {
    this.#started.add(nameOf(row.key));
    const running = this.#run(row).then((next) => {
      this.#running.delete(running);
      this.#end(row, next);
      // Rows wait for a place only while the queue is full. Otherwise `add` and the timer start later work.
      if (this.#isFull) this.#pump();
    });
    this.#running.add(running);
  }

  #end({ key }: DueRow<Work>, next: Next<Work>): void {
    if (next === 'unchanged') return;
    const remove = async () => {
      await this.#rows.remove(key);
      this.#started.delete(nameOf(key));
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
