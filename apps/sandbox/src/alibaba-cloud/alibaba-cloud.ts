import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type Logger, simulatorKeys } from '@replenish/runtime';
import type { Router } from 'express';
import type { Outage } from '../machine/outage.js';
import { Behaviours } from './behaviours.js';
import { alibabaControlRoutes } from './control.js';
import { FundAccounts, OTHER_ACCOUNT, SOURCE_ACCOUNT } from './fund-accounts.js';
import { Nonces } from './nonces.js';
import { gatewayServer } from './server.js';
import { openCloudStore } from './store.js';
import { CALLS_PER_MINUTE, CallLimit } from './throttle.js';

/** The simulator's own key. It is worth nothing elsewhere. */
export const simulatorKey = {
  accessKeyId: simulatorKeys.ALIBABA_CLOUD_ACCESS_KEY_ID,
  accessKeySecret: simulatorKeys.ALIBABA_CLOUD_ACCESS_KEY_SECRET,
} as const;

export type AlibabaCloudOptions = Readonly<{
  host: string;
  /** The port to listen on. 0: any free port. */
  port: number;
  /** Folder of the sandbox. The simulated cloud has a folder in it. */
  dataDir: string;
  log: Logger;
  outage: Outage;
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
  const { host, port, dataDir, log, outage, slowAnswerMs } = options;
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
  try {
    await openFirstAccounts(accounts);
    await listenOn(server, host, port);
  } catch (error) {
    await store.close();
    throw error;
  }
  return {
    url: `http://${host}:${(server.address() as AddressInfo).port}`,
    control: alibabaControlRoutes({ store, accounts, behaviours }),
    async close() {
      closing.abort();
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
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

function listenOn(server: Server, host: string, port: number): Promise<void> {
  Object.assign(server, { keepAliveTimeout: 60_000, headersTimeout: 65_000, requestTimeout: 15_000 });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => resolve());
  });
}
