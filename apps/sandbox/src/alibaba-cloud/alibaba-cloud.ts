import { join } from 'node:path';
import { simulatorKeys } from '@replenish/runtime';
import type { Router } from 'express';
import { closeServer, type DialectOptions, listenAs } from '../machine/dialect-server.js';
import { Behaviours } from './behaviours.js';
import { alibabaControlRoutes } from './control.js';
import { Nonces } from './nonces.js';
import { FundAccounts, OTHER_ACCOUNT, SOURCE_ACCOUNT } from './operations/fund-accounts.js';
import { gatewayServer } from './server.js';
import { openCloudStore } from './store.js';
import { CALLS_PER_MINUTE, CallLimit } from './throttle.js';

/** The simulator's own key. It is worth nothing elsewhere. */
export const simulatorKey = {
  accessKeyId: simulatorKeys.ALIBABA_CLOUD_ACCESS_KEY_ID,
  accessKeySecret: simulatorKeys.ALIBABA_CLOUD_ACCESS_KEY_SECRET,
} as const;

export type AlibabaCloudOptions = DialectOptions &
  Readonly<{
    slowAnswerMs: number;
    /** The time after which the transaction list shows a transfer. */
    visibleAfterMs?: number;
    callsPerMinute?: number;
  }>;

export type AlibabaCloud = Readonly<{ url: string; control: Router; close: () => Promise<void> }>;

// Whether the real list shows a transfer at once is not published.
const VISIBLE_AFTER_MS = 300;
const SOURCE_OWNER = '1700000000000001';
/** The cash of the source account on the first start: ten million, in minor units. */
const FIRST_CASH = 1_000_000_000n;

/** Opens the simulated Alibaba Cloud on a port of its own. */
export async function openAlibabaCloud(options: AlibabaCloudOptions): Promise<AlibabaCloud> {
  const { dataDir, log, outage, slowAnswerMs } = options;
  const store = openCloudStore(join(dataDir, 'alibaba-cloud'));
  const accounts = new FundAccounts(store);
  const behaviours = new Behaviours();
  const closing = new AbortController();
  const server = gatewayServer({
    ...{ store, accounts, behaviours, outage, slowAnswerMs, closing: closing.signal },
    nonces: new Nonces(store),
    limit: new CallLimit(options.callsPerMinute ?? CALLS_PER_MINUTE),
    visibleAfterMs: options.visibleAfterMs ?? VISIBLE_AFTER_MS,
    secretOf: (id) => (id === simulatorKey.accessKeyId ? simulatorKey.accessKeySecret : undefined),
    onError: (error) => log.error({ err: error }, 'request to the simulated Alibaba Cloud failed'),
  });
  let url: string;
  try {
    await openFirstAccounts(accounts);
    url = await listenAs(server, options);
  } catch (error) {
    await store.close();
    throw error;
  }
  return {
    url,
    control: alibabaControlRoutes({ store, accounts, behaviours }),
    async close() {
      closing.abort();
      await closeServer(server);
      await store.close();
    },
  };
}

async function openFirstAccounts(accounts: FundAccounts): Promise<void> {
  if (accounts.get(SOURCE_ACCOUNT)) return;
  await accounts.set({ id: OTHER_ACCOUNT, owner: SOURCE_OWNER }, 'CNY', 0n);
  for (const currency of ['CNY', 'USD'])
    await accounts.set({ id: SOURCE_ACCOUNT, owner: SOURCE_OWNER }, currency, FIRST_CASH);
}
