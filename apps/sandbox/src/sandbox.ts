import { setMaxListeners } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from '@replenish/runtime';
import { createFastServer } from '@replenish/runtime';
import express, { type NextFunction, type Request, type Response } from 'express';
import { controlFace } from './control/face.js';
import { CallLog } from './machine/call-log.js';
import { OrderBook } from './machine/orders.js';
import { type Counters, openStore } from './machine/store.js';
import { defaultTiming, type Timing } from './machine/timing.js';
import { WebhookSender } from './machine/webhooks.js';
import { type Desk, providerFace } from './plain/face.js';
import { signingKey } from './plain/signature.js';

export type SandboxServerOptions = Readonly<{
  host: string;
  /** 0 takes a free one. */
  port: number;
  /** Folder of the store; made when missing. One process at a time. */
  dataDir: string;
  /** `whsec_` and base64. */
  webhookSecret: string;
  log: Logger;
  timing?: Partial<Timing>;
  /** Address of the documentation, for the link on the page. */
  docsUrl?: string;
}>;

export type Sandbox = Readonly<{
  url: string;
  counters: Readonly<Counters>;
  close: () => Promise<void>;
}>;

/** Opens the simulator on its folder and goes on with everything that was due while it was away. */
export async function openSandbox(options: SandboxServerOptions): Promise<Sandbox> {
  const key = signingKey(options.webhookSecret);
  const timing = { ...defaultTiming, ...options.timing };
  const store = openStore(options.dataDir);
  const webhooks = new WebhookSender(store, key, timing, options.log);
  const orders = new OrderBook(store, webhooks, timing, options.log);
  const closing = new AbortController();
  setMaxListeners(0, closing.signal);
  const desk: Desk = {
    store,
    orders,
    webhooks,
    calls: new CallLog(store),
    outage: { mode: 'none' },
    timing,
    closing: closing.signal,
  };
  const server = createFastServer(application(desk, options));
  // Listening comes first: a second process on this port ends here, before it sends anybody's webhooks twice.
  try {
    await listen(server, options.host, options.port);
  } catch (error) {
    await store.close();
    throw error;
  }
  orders.start();
  webhooks.resume();
  return {
    url: `http://${options.host}:${(server.address() as AddressInfo).port}`,
    counters: store.counters,
    close: () => {
      closing.abort();
      return close(server, desk);
    },
  };
}

function application(desk: Desk, { log, docsUrl }: SandboxServerOptions): express.Express {
  const app = express();
  app.disable('x-powered-by').disable('etag').set('query parser', 'simple');
  app.use('/v1', providerFace(desk));
  app.use(controlFace(desk, docsUrl ?? null));
  app.use((error: unknown, request: Request, response: Response, _next: NextFunction) => {
    log.error({ err: error, path: request.path }, 'request failed');
    response
      .status(500)
      .json({ code: 'internal_error', message: 'unexpected error; see the log of the sandbox' });
  });
  return app;
}

function listen(server: Server, host: string, port: number): Promise<void> {
  // Kept-alive connections outlast a caller's pause between two calls; half-sent requests do not.
  Object.assign(server, { keepAliveTimeout: 60_000, headersTimeout: 65_000, requestTimeout: 15_000 });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => resolve());
  });
}

/** Calls being held open are cut, like a provider's that is restarted. */
async function close(server: Server, { orders, webhooks, store }: Desk): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeAllConnections();
  await closed;
  await orders.stop();
  await webhooks.stop();
  await store.close();
}
