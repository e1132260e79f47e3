import type { Database } from 'lmdb';
import type { StoredOrder, StoredOrderStatus } from '../order.js';
import { openStoreFolder } from './store-folder.js';

/** The key of a due row. Rows are sorted by due time, then by name. */
export type DueKey = [dueAtMs: number, name: string];

/** The next event of an order's scenario. */
export type Step = Readonly<{ reference: string; index: number }>;

/** A webhook that its receiver has not accepted yet. */
export type WebhookDelivery = Readonly<{ reference: string; status: StoredOrderStatus; failures: number }>;

/** A line of the statement of the account that all orders go through. `balance` is in minor units, after the line. */
export type StoredStatementLine = Readonly<{
  orderId: string;
  reference: string;
  direction: 'in' | 'out';
  amount: number;
  currency: string;
  balance: string;
}>;

/** Lines are in order of time. Those of one millisecond have numbers. */
export type StatementPlace = [atMs: number, number: number];

/** One contact of a caller about a reference. `answer` is the HTTP status, or `none`. */
export type LoggedCall = Readonly<{ operation: 'submit' | 'query'; answer: string }>;

export type Counters = {
  orders: Record<StoredOrderStatus, number>;
  submits: number;
  queries: number;
  replays: number;
  /** `failed` counts failed attempts, `abandoned` counts webhooks whose last attempt failed. */
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
 * All data of the simulator. They are on disk only, so memory does not grow with the number of orders.
 *
 * All puts of one turn of the event loop form one LMDB transaction, which is written completely or not at all. A put
 * resolves when the operating system has its pages. The data then survive the end of the process, even `kill -9`, but a
 * power failure may damage the folder. Forcing the pages to disk would avoid that, but wrote 176 KB per order at 600
 * orders/s, on the disk that the tested databases use too.
 */
export type SandboxStore = Readonly<{
  orders: Database<StoredOrder, string>;
  /** Maps an order id to its reference. Order ids ascend in time. */
  newest: Database<string, string>;
  /** The references of the refunds of each order. */
  refunds: Database<readonly string[], string>;
  /** The number of refusals of each reference by its scenario. */
  refusals: Database<number, string>;
  /** The statement of the account that all orders go through. */
  lines: Database<StoredStatementLine, StatementPlace>;
  /** The balance of that account per currency, in digits. It is changed in memory and written like the counters. */
  balances: Record<string, string>;
  steps: Database<Step, DueKey>;
  deliveries: Database<WebhookDelivery, DueKey>;
  calls: Database<LoggedCall, [reference: string, atMs: number, n: number]>;
  /**
   * The counters are changed in memory in the same turn as the rows that they count, and written in their transaction.
   */
  counters: Counters;
  /** Queues a write that the caller does not wait for. It joins the next transaction, or starts one after 20 ms. */
  lazily: (write: () => void) => void;
  /** Resolves when all writes so far can be read. */
  committed: () => Promise<unknown>;
  close: () => Promise<void>;
}>;

// Delay of lazy writes. In transactions of their own, the contact log and the removal of finished rows would double the
// number of transactions per order. A crash may lose such a write: a contact in the log, or the note that a webhook was
// accepted. In the latter case the webhook is sent again with the same id.
const LAZY_MS = 20;

export function openStore(folder: string): SandboxStore {
  const { root, close } = openStoreFolder(folder);
  const meta = root.openDB<Counters, string>({ name: 'meta' });
  const counters = meta.get('counters') ?? zero();
  const sums = root.openDB<Record<string, string>, string>({ name: 'balances' });
  const balances = sums.get('balances') ?? {};
  const later = lazyWrites();
  // At this moment rows can still join the transaction of the turn. So the counters are written once per turn, for any
  // number of orders.
  root.on('beforecommit', () => {
    later.flush();
    meta.put('counters', counters);
    sums.put('balances', balances);
  });
  const committed = async () => {
    later.flush();
    await root.committed;
  };
  return {
    orders: root.openDB({ name: 'orders' }),
    newest: root.openDB({ name: 'newest' }),
    refunds: root.openDB({ name: 'refunds' }),
    refusals: root.openDB({ name: 'refusals' }),
    lines: root.openDB({ name: 'lines' }),
    balances,
    steps: root.openDB({ name: 'steps' }),
    deliveries: root.openDB({ name: 'deliveries' }),
    calls: root.openDB({ name: 'calls' }),
    counters,
    lazily: later.add,
    committed,
    close: async () => {
      later.stop();
      await close();
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
    // A contact that ends after the store has stopped is not logged.
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
