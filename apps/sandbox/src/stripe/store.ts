import type { Database } from 'lmdb';
import type { DueKey } from '../machine/store/store.js';
import { openStoreFolder } from '../machine/store/store-folder.js';
import type { CardOutcome, StoredBalanceTransaction, StoredIntent, StoredRefund } from './objects.js';

/** An answer that is kept under its Idempotency-Key. `print` identifies the request. */
export type KeptAnswer = Readonly<{ print: string; status: number; body: string; atMs: number }>;

/** An event as its body is sent, with the reference of its object. */
export type StoredStripeEvent = Readonly<{
  id: string;
  type: string;
  reference: string | null;
  body: string;
}>;

/** Work that is due: the payer acts, or an event is delivered. */
export type StripeWork =
  | Readonly<{ kind: 'pay'; intentId: string; card: CardOutcome }>
  | Readonly<{ kind: 'deliver'; eventId: string; failures: number }>;

/**
 * The data of the dialect. Every change is one synchronous transaction, so two calls never see half of one another's.
 */
export type StripeStore = Readonly<{
  intents: Database<StoredIntent, string>;
  /** Maps `<metadata key>=<value>` to the ids of the intents that have it. */
  byMetadata: Database<string[], string>;
  refunds: Database<StoredRefund, string>;
  refundsOf: Database<string[], string>;
  /** Ids ascend in time. */
  balance: Database<StoredBalanceTransaction, string>;
  keys: Database<KeptAnswer, string>;
  events: Database<StoredStripeEvent, string>;
  due: Database<StripeWork, DueKey>;
  change: <T>(run: () => T) => T;
  lazily: (write: () => void) => void;
  close: () => Promise<void>;
}>;

export function openStripeStore(folder: string): StripeStore {
  const { root, close } = openStoreFolder(folder);
  return {
    intents: root.openDB({ name: 'intents' }),
    byMetadata: root.openDB({ name: 'by-metadata' }),
    refunds: root.openDB({ name: 'refunds' }),
    refundsOf: root.openDB({ name: 'refunds-of' }),
    balance: root.openDB({ name: 'balance' }),
    keys: root.openDB({ name: 'keys' }),
    events: root.openDB({ name: 'events' }),
    due: root.openDB({ name: 'due' }),
    change: (run) => root.transactionSync(run),
    lazily: (write) => write(),
    close,
  };
}
