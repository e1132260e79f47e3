import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '@replenish/runtime';
import express, { type Express, type NextFunction, type Request, type Response, type Router } from 'express';
import type { Next } from './due-queue.js';
import type { Outage } from './outage.js';

/** What every dialect is opened with. */
export type DialectOptions = Readonly<{
  host: string;
  /** The port to listen on. 0: any free port. */
  port: number;
  /** Folder of the dialect's store. Only one process may use it at a time. */
  dataDir: string;
  log: Logger;
  /** The outage of the simulator, which every dialect shares. */
  outage: Outage;
}>;

// How often due work looks whether the outage has ended.
const OUTAGE_LOOK_MS = 250;

/** Due work waits while the provider is down. */
export const afterOutage = <Work>(work: Work): Next<Work> => ({ dueAtMs: Date.now() + OUTAGE_LOOK_MS, work });

/** Listens on a port of its own. Returns the address. */
export function listenAs(server: Server, { host, port }: DialectOptions): Promise<string> {
  Object.assign(server, { keepAliveTimeout: 60_000, headersTimeout: 65_000, requestTimeout: 15_000 });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => resolve(`http://${host}:${(server.address() as AddressInfo).port}`));
  });
}

/** Closes a server. Open calls are cut, as when a provider restarts. */
export async function closeServer(server: Server): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeAllConnections();
  await closed;
}

/**
 * Applies the current outage. In `slow` the call is executed at once and its answer is held back, so it waits in front
 * of the first byte of the answer.
 */
const outageFilter =
  (outage: Outage, slowAnswerMs: number, sendError: (response: Response) => void) =>
  (request: Request, response: Response, next: NextFunction): void => {
    if (outage.mode === 'slow') holdBack(response, slowAnswerMs);
    if (outage.mode === 'down') request.socket.destroy();
    else if (outage.mode === 'errors') sendError(response);
    else next();
  };

/** The application of a dialect: its routes, behind the outage of the simulator. */
export function dialectApp(
  { outage, slowAnswerMs = 10_000 }: Readonly<{ outage: Outage; slowAnswerMs?: number }>,
  routes: Readonly<{ path: string; api: Router; sendError: (response: Response) => void }>,
): Express {
  const app = express();
  app.disable('x-powered-by').disable('etag').set('query parser', 'simple');
  app.use(outageFilter(outage, slowAnswerMs, routes.sendError));
  app.use(routes.path, routes.api);
  return app;
}

function holdBack(response: Response, slowAnswerMs: number): void {
  const end = response.end.bind(response) as (...given: unknown[]) => Response;
  response.end = ((...given: unknown[]) => {
    void delay(slowAnswerMs, undefined, { ref: false }).then(() => response.destroyed || end(...given));
    return response;
  }) as Response['end'];
}
