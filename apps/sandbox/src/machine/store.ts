import { mkdirSync } from 'node:fs';
import { type Database, open } from 'lmdb';
import type { StoredOrder, StoredOrderStatus } from './order.js';

/** Sorted by due time, then by name. */
export type DueKey = [dueAtMs: number, name: string];

/** The next event of an order's scenario. */
export type Step = Readonly<{ reference: string; index: number }>;

/** A webhook not yet taken by its receiver. */
export type WebhookDelivery = Readonly<{ reference: string; status: StoredOrderStatus; failures: number }>;

/** One contact of a caller about a reference. `answer` is the HTTP status, or `none`. */
export type LoggedCall = Readonly<{ operation: 'submit' | 'query'; answer: string }>;

export type Counters = {
  orders: Record<StoredOrderStatus, number>;
  submits: number;
  queries: number;
  replays: number;
  /** `failed` counts attempts, `abandoned` webhooks whose last attempt failed. */
  webhooks: { sent: number; failed: number; abandoned: number; pending: number };
};

const zero = (): Counters => ({
  orders: { pending: 0, settled: 0, declined: 0, canceled: 0 },
  submits: 0,
  queries: 0,
  replays: 0,
  webhooks: { sent: 0, failed: 0, abandoned: 0, pending: 0 },
});

/**
 * Everything the simulator remembers, on disk only: its memory does not grow with the number of orders.
 *
 * All puts of one turn of the event loop are one LMDB transaction, so they are kept together or not at all.
 * A put resolves when its pages were handed to the operating system: they outlive the process, also `kill -9`. They
 * are not forced to the disk. At 600 orders/s that cost 176 KB of writes an order, on the disk the databases under
 * test share; the price is that a power cut in the middle of work may damage the folder.
 */
export type SandboxStore = Readonly<{
  orders: Database<StoredOrder, string>;
  /** Order id (ascending in time) to reference. */
  newest: Database<string, string>;
  /** How often a reference was refused by its scenario. */
  refusals: Database<number, string>;
  steps: Database<Step, DueKey>;
  deliveries: Database<WebhookDelivery, DueKey>;
  calls: Database<LoggedCall, [reference: string, atMs: number, n: number]>;
  /** Changed in place, in the same turn as the rows it counts; written with them. */
  counters: Counters;
  /** A write nobody waits for: it joins the next transaction, or makes one after 20 ms. */
  lazily: (write: () => void) => void;
  /** Resolves when everything written so far can be read. */
  committed: () => Promise<unknown>;
  close: () => Promise<void>;
}>;

// Alone, the contact log and the removal of done work would double the transactions of an order. A crash may forget
// this much: a contact in the log, or that a webhook was taken, which is then sent again with the same id.
const LAZY_MS = 20;

export function openStore(folder: string): SandboxStore {
  mkdirSync(folder, { recursive: true });
  const root = open({ path: folder, noSubdir: false, noSync: true });
  const meta = root.openDB<Counters, string>({ name: 'meta' });
  const counters = meta.get('counters') ?? zero();
  const later = lazyWrites();
  // The last moment at which a row still joins the turn's transaction: one write however many orders the turn had.
  root.on('beforecommit', () => {
    later.flush();
    meta.put('counters', counters);
  });
  const committed = async () => {
    later.flush();
    await root.committed;
  };
  return {
    orders: root.openDB({ name: 'orders' }),
    newest: root.openDB({ name: 'newest' }),
    refusals: root.openDB({ name: 'refusals' }),
    steps: root.openDB({ name: 'steps' }),
    deliveries: root.openDB({ name: 'deliveries' }),
    calls: root.openDB({ name: 'calls' }),
    counters,
    lazily: later.add,
    committed,
    close: async () => {
      later.stop();
      await committed();
      await root.close();
    },
  };
}

function lazyWrites() {
  let writes: (() => void)[] = [];
  let timer: NodeJS.Timeout | undefined;
  const flush = () => {
    clearTimeout(timer);
    timer = undefined;
    const due = writes;
    writes = [];
    for (const write of due) write();
  };
  let stopped = false;
  const add = (write: () => void) => {
    // A caller that hangs up at the very end is still to be noted, and there is nothing left to note it in.
    if (stopped) return;
    writes.push(write);
    timer ??= setTimeout(flush, LAZY_MS);
  };
  const stop = () => {
    stopped = true;
    flush();
  };
  return { add, flush, stop };
}
