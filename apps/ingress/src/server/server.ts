import {
  type RequestListener,
  type Server,
  type ServerOptions,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http';
import { Server as NetServer, type Socket } from 'node:net';
import { createFastServer, type Logger, newId, type TlsOptions } from '@replenish/runtime';
import type { Express } from 'express';
import { problemBody } from '../http/problem.js';
import { markUsed } from './connections.js';

/**
 * Node's own limits (60 s for headers, 300 s for a request) let slow clients hold a connection for minutes. It looks
 * for those that are over time every `connectionsCheckingInterval`: 30 s unless told, three times what a header may take.
 */
export const serverLimits: ServerOptions = {
  headersTimeout: 10_000,
  requestTimeout: 15_000,
  keepAliveTimeout: 75_000,
  connectionsCheckingInterval: 2_000,
  maxHeaderSize: 16_384,
  // The app says it in the form of every other problem.
  requireHostHeader: false,
};

type ServerWishes = Readonly<{ tls?: TlsOptions | null; keepAliveMs?: number }>;

/** The app on a server with these limits. What Node itself refuses is answered in the form of every other problem. */
export function createIngressServer(
  app: Express,
  log: Logger,
  { tls = null, keepAliveMs = serverLimits.keepAliveTimeout! }: ServerWishes = {},
): Server {
  const heard: RequestListener = (request, response) => {
    markUsed(request.socket);
    // Told to close, it takes no further request on a connection that stays open.
    if (!server.listening) response.shouldKeepAlive = false;
    if (!isPath(request.url!)) request.url = `/${encodeURIComponent(request.url!)}`;
    app(request, response);
  };
  const { request, response } = app;
  const limits = { ...serverLimits, keepAliveTimeout: keepAliveMs };
  const server = createFastServer(Object.assign(heard, { request, response }), limits, tls);
  server.on('checkExpectation', heard);
  // A body is invited where it is read, so that a refusal comes before it.
  server.on('checkContinue', heard);
  server.on('clientError', (error: NodeJS.ErrnoException, socket: AnsweringSocket) => {
    // Half an answer is on its way already, or nobody is there to read one.
    const answering = socket._httpMessage;
    if (!socket.writable || error.code === 'ECONNRESET' || answering?.headersSent) return socket.destroy();
    // What came whole is being worked on, and is answered; only what followed it is unreadable.
    if (answering?.req.complete) {
      answering.shouldKeepAlive = false;
      return;
    }
    const correlationId = newId();
    const status = statusOfFault[error.code ?? ''] ?? 400;
    log.info({ correlationId, status, reason: error.code, ip: socket.remoteAddress }, 'request unreadable');
    socket.end(bareAnswer(app, status, correlationId), () => socket.destroy());
  });
  return server;
}

type AnsweringSocket = Socket & { _httpMessage?: ServerResponse };

/** A path or a whole URL (RFC 9112, 3.2). Express answers any other by itself, before anybody has seen the call. */
const isPath = (url: string): boolean => url.startsWith('/') || URL.canParse(url);

const statusOfFault: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

const details: Readonly<Record<number, string>> = {
  408: 'the request did not arrive in time',
  413: 'the chunks of the body are not acceptable',
  431: 'the headers are too large',
};

function bareAnswer(app: Express, status: number, correlationId: string): string {
  const detail = details[status] ?? 'this is not a request of HTTP/1.1';
  const body = JSON.stringify(problemBody(app, { code: 'INVALID_ARGUMENT', status, detail, correlationId }));
  return [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'Content-Type: application/problem+json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    `X-Correlation-Id: ${correlationId}`,
    'Cache-Control: no-store',
    'Connection: close',
    '',
    body,
  ].join('\r\n');
}

// A caller that had its answer a moment ago may have sent the next request already: it is answered, with the word that
// the connection ends. Closed under it, the request would be lost and nobody could say whether it was heard.
const GRACE_MS = 500;
const LOOK_EVERY_MS = 50;
// The frame gives each part four seconds: what is still open then is closed here, so that its end is filed.
const PATIENCE_MS = 3_000;

/** Stops taking connections and requests, and lets those under way finish for a while. */
export async function closeServer(server: Server): Promise<void> {
  // Not the HTTP server's own close, which ends idle connections at once.
  const closed = new Promise<void>((resolve) => NetServer.prototype.close.call(server, () => resolve()));
  let idle: NodeJS.Timeout | undefined;
  const grace = setTimeout(() => {
    idle = setInterval(() => server.closeIdleConnections(), LOOK_EVERY_MS);
  }, GRACE_MS);
  const all = setTimeout(() => server.closeAllConnections(), PATIENCE_MS);
  await closed;
  clearTimeout(grace);
  clearInterval(idle);
  clearTimeout(all);
}
