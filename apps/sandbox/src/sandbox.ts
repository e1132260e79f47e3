import { setMaxListeners } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from '@replenish/runtime';
import { createFastServer } from '@replenish/runtime';
import express, { type NextFunction, type Request, type Response } from 'express';
import { controlRoutes } from './control/routes.js';
import { type Dialects, type DialectsOptions, openDialects } from './dialects.js';
import { CallLog } from './machine/call-log.js';
import { OrderBook } from './machine/orders.js';
import { type Counters, openStore } from './machine/store/store.js';
import { defaultTiming, type Timing } from './machine/timing.js';
import { WebhookSender } from './machine/webhooks.js';
import { providerRoutes, type SandboxParts } from './plain/routes.js';
import { signingKey } from './plain/signature.js';

export type SandboxServerOptions = Readonly<{
  host: string;
  /** The port to listen on. 0: any free port. */
  port: number;
  /** Folder of the store. It is created when it is missing. Only one process may use it at a time. */
  dataDir: string;
  /** Secret of the webhook signatures: `whsec_` and base64. */
  webhookSecret: string;
  log: Logger;
  timing?: Partial<Timing>;
  /** Address of the documentation. The page links to it. */
  docsUrl?: string;
  /** The simulators of the real providers. Without it there are none. */
  dialects?: Pick<DialectsOptions, 'ports' | 'stripeAccounts' | 'stripeWebhookUrl' | 'paysAfterMs'>;
}>;

export type Sandbox = Readonly<{
  url: string;
  counters: Readonly<Counters>;
  close: () => Promise<void>;
}>;

/** Opens the simulator on its folder, and runs everything that became due while it was not running. */
export async function openSandbox(options: SandboxServerOptions): Promise<Sandbox> {
  const key = signingKey(options.webhookSecret);
  const timing = { ...defaultTiming, ...options.timing };
  const store = openStore(options.dataDir);
  const webhooks = new WebhookSender(store, key, timing, options.log);
  const orders = new OrderBook(store, webhooks, timing, options.log);
  const closing = new AbortController();
  setMaxListeners(0, closing.signal);
  const parts: SandboxParts = {
    store,
    orders,
    webhooks,
    calls: new CallLog(store),
    outage: { mode: 'none' },
    timing,
    closing: closing.signal,
  };
  const dialects = await dialectsOf(options, parts);
  const server = createFastServer(application(parts, options, dialects));
  // The server listens before any work starts. A second process on the same port fails here, before it sends webhooks a
  // second time.
  try {
    await listen(server, options.host, options.port);
  } catch (error) {
    await dialects?.close();
    await store.close();
    throw error;
  }
  orders.start();
  webhooks.resume();
  return {
    url: `http://${options.host}:${(server.address() as AddressInfo).port}`,
    counters: store.counters,
    close: async () => {
      closing.abort();
      await dialects?.close();
      await close(server, parts);
    },
  };
}

function dialectsOf(
  options: SandboxServerOptions,
  { outage, timing }: SandboxParts,
): Promise<Dialects> | null {
  const { host, dataDir, webhookSecret, log, dialects } = options;
  return dialects
    ? openDialects({
        host,
        dataDir,
        webhookSecret,
        log,
        outage,
        slowAnswerMs: timing.slowAnswerMs,
        ...dialects,
      })
    : null;
}

function application(
  parts: SandboxParts,
  { log, docsUrl }: SandboxServerOptions,
  dialects: Dialects | null,
): express.Express {
  const app = express();
  app.disable('x-powered-by').disable('etag').set('query parser', 'simple');
  app.use('/v1', providerRoutes(parts));
  if (dialects) app.use(dialects.control);
  app.use(controlRoutes(parts, docsUrl ?? null));
  app.use((error: unknown, request: Request, response: Response, _next: NextFunction) => {
    log.error({ err: error, path: request.path }, 'request failed');
    response
      .status(500)
      .json({ code: 'internal_error', message: 'unexpected error; see the log of the sandbox' });
  });
  return app;
}

function listen(server: Server, host: string, port: number): Promise<void> {
  // Idle connections stay open for 60 s, longer than a caller pauses between two calls. Incomplete requests end after
  // 15 s.
  Object.assign(server, { keepAliveTimeout: 60_000, headersTimeout: 65_000, requestTimeout: 15_000 });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => resolve());
  });
}

/** Closes the simulator. Open calls are cut, as when a provider restarts. */
async function close(server: Server, { orders, webhooks, store }: SandboxParts): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeAllConnections();
  await closed;
  await orders.stop();
  await webhooks.stop();
  await store.close();
}
