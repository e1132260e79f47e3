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
import { problemBody } from '../http/answers/problem.js';
import { markUsed } from './connections.js';

/**
 * Node's default limits (60 s for headers, 300 s for a request) let slow clients hold a connection for minutes. Node
 * checks the limits every `connectionsCheckingInterval`. The default of that interval, 30 s, is three times our limit
 * for headers.
 */
export const serverLimits: ServerOptions = {
  headersTimeout: 10_000,
  requestTimeout: 15_000,
  keepAliveTimeout: 75_000,
  connectionsCheckingInterval: 2_000,
  maxHeaderSize: 16_384,
  // The app checks the Host header instead of Node, so that the answer has the form of all problems.
  requireHostHeader: false,
};

type IngressServerOptions = Readonly<{ tls?: TlsOptions | null; keepAliveMs?: number }>;

/** An HTTP server for the app, with these limits. Refusals by Node itself get the form of all problems. */
export function createIngressServer(
  app: Express,
  log: Logger,
  { tls = null, keepAliveMs = serverLimits.keepAliveTimeout! }: IngressServerOptions = {},
): Server {
  const listener: RequestListener = (request, response) => {
    markUsed(request.socket);
    // While the server closes, an open connection ends after its current answer.
    if (!server.listening) response.shouldKeepAlive = false;
    if (!isPath(request.url!)) request.url = `/${encodeURIComponent(request.url!)}`;
    app(request, response);
  };
  const { request, response } = app;
  const limits = { ...serverLimits, keepAliveTimeout: keepAliveMs };
  const server = createFastServer(Object.assign(listener, { request, response }), limits, tls);
  server.on('checkExpectation', listener);
  // Node does not send `100 Continue` here. The reader of the body sends it, so that a refusal can come first.
  server.on('checkContinue', listener);
  server.on('clientError', (error: NodeJS.ErrnoException, socket: AnsweringSocket) => {
    // Part of an answer is already sent, or the client is gone.
    const answering = socket._httpMessage;
    if (!socket.writable || error.code === 'ECONNRESET' || answering?.headersSent) return socket.destroy();
    // The current request is complete, so the app answers it. Only the bytes after it are unreadable.
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

/**
 * Whether the target of a request is a path or a whole URL (RFC 9112, 3.2). Express answers a request for any other
 * target before our observers see the call.
 */
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

// A caller that has just got its answer may have sent the next request already. That request is answered, and its
// answer says that the connection ends. If the connection were closed immediately, the caller could not know whether
// the request was read.
const GRACE_MS = 500;
const LOOK_EVERY_MS = 50;
// `runProcess` gives each part four seconds to close. Connections that are still open after three seconds are closed
// here, so that their calls end and are filed.
const PATIENCE_MS = 3_000;

/** Stops accepting connections and requests, and lets running ones finish for three seconds. */
export async function closeServer(server: Server): Promise<void> {
  // `close` of the HTTP server would close idle connections immediately, so the method of the TCP server is used.
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
