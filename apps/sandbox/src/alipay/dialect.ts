import { createFastServer } from '@replenish/runtime';
import type { Router } from 'express';
import { Behaviors } from '../machine/behaviors.js';
import {
  afterOutage,
  closeServer,
  type DialectOptions,
  dialectApp,
  listenAs,
} from '../machine/dialect-server.js';
import { DueQueue } from '../machine/due-queue.js';
import { type AlipayParts, alipayApi } from './api.js';
import { Bills } from './bills/bills.js';
import { alipayControl } from './control.js';
import type { AlipayBehavior } from './faults.js';
import { simulatedKeys } from './keys.js';
import { TradeBook } from './machine.js';
import { Notifications, notifyGapsMs } from './notifications.js';

import { type NotifyWork, openAlipayStore } from './store.js';

export type AlipayDialectOptions = DialectOptions &
  Readonly<{
    appId: string;
    sellerId: string;
    /** The waits between the attempts of a notification. */
    gapsMs?: readonly number[];
    lateMs?: number;
    repeatMs?: number;
    slowAnswerMs?: number;
  }>;

export type AlipayDialect = Readonly<{
  /** The endpoint of V3. */
  url: string;
  /** The gateway of V2. */
  gateway: string;
  appId: string;
  sellerId: string;
  /** The app's key, in PKCS8. It is worth nothing elsewhere. */
  privateKey: string;
  alipayPublicKey: string;
  /** The control API, for `/_control/alipay`. */
  control: Router;
  close: () => Promise<void>;
}>;

const NOTIFICATIONS_AT_ONCE = 64;

/** Opens the simulator of Alipay on its folder, and sends the notifications that became due while it was not running. */
export async function openAlipayDialect(options: AlipayDialectOptions): Promise<AlipayDialect> {
  const { appId, sellerId } = options;
  const keys = simulatedKeys();
  const store = openAlipayStore(options.dataDir);
  const behaviors = new Behaviors<AlipayBehavior>();
  const notifications = new Notifications(store, behaviors, {
    ...{ appId, sellerId, log: options.log },
    alipayPrivateKey: keys.alipayPrivateKey,
    gapsMs: options.gapsMs ?? notifyGapsMs,
    lateMs: options.lateMs ?? 5_000,
    repeatMs: options.repeatMs ?? 100,
  });
  const queue = new DueQueue<NotifyWork>(store, store.due, NOTIFICATIONS_AT_ONCE, async (row) =>
    options.outage.mode === 'down' ? afterOutage(row.value) : notifications.deliver(row),
  );
  notifications.useQueue(queue);
  const book = new TradeBook(store, notifications, behaviors);
  const bills = new Bills({ store, behaviors, sellerId });
  const parts: AlipayParts = { store, book, bills, behaviors, notifications, keys, appId };
  const server = serverOf(parts, options);
  const url = await listenAs(server, options).catch(async (error: unknown) => {
    await store.close();
    throw error;
  });
  queue.resume();
  return {
    ...{ url, gateway: `${url}/gateway.do`, appId, sellerId },
    privateKey: keys.appPrivateKey,
    alipayPublicKey: keys.alipayPublicKey,
    control: alipayControl(parts),
    async close() {
      await closeServer(server);
      await notifications.stop();
      await queue.stop();
      await store.close();
    },
  };
}

const serverOf = (parts: AlipayParts, options: AlipayDialectOptions) =>
  createFastServer(
    dialectApp(options, {
      path: '/',
      api: alipayApi(parts),
      sendError: (response) => response.status(500).json({ code: 'unknow-error', message: 'unknown error' }),
    }),
  );
