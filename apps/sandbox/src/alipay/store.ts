import type { Database } from 'lmdb';
import type { DueKey } from '../machine/store/store.js';
import { openStoreFolder } from '../machine/store/store-folder.js';
import type { StoredTrade } from './trade.js';

/** A notification as its form is sent. `taken`: its receiver answered `success`. */
export type StoredNotification = Readonly<{
  id: string;
  outTradeNo: string;
  url: string;
  form: string;
  attempts: number;
  taken: boolean;
}>;

/** The address of a bill that was given out, by the id in it. */
export type StoredBill = Readonly<{ day: string; expiresMs: number }>;

export type NotifyWork = Readonly<{ notificationId: string; failures: number }>;

/** The data of the dialect. Every change is one synchronous transaction. */
export type AlipayStore = Readonly<{
  trades: Database<StoredTrade, string>;
  /** Maps a trade number of Alipay to the merchant's number. */
  byTradeNo: Database<string, string>;
  notifications: Database<StoredNotification, string>;
  bills: Database<StoredBill, string>;
  due: Database<NotifyWork, DueKey>;
  change: <T>(run: () => T) => T;
  lazily: (write: () => void) => void;
  close: () => Promise<void>;
}>;

export function openAlipayStore(folder: string): AlipayStore {
  const { root, close } = openStoreFolder(folder);
  return {
    trades: root.openDB({ name: 'trades' }),
    byTradeNo: root.openDB({ name: 'by-trade-no' }),
    notifications: root.openDB({ name: 'notifications' }),
    bills: root.openDB({ name: 'bills' }),
    due: root.openDB({ name: 'due' }),
    change: (run) => root.transactionSync(run),
    lazily: (write) => write(),
    close,
  };
}
