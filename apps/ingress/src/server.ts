import { type Server, type ServerOptions, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { createFastServer, type Logger, newId, type TlsOptions } from '@replenish/runtime';
import type { Express } from 'express';
import { problemBody } from './problem.js';

/**
 * Node's own limits (60 s for headers, 300 s for a request) let slow clients hold a connection for minutes. It looks
 * for those that are over time every `connectionsCheckingInterval`: 30 s unless told, three times what a header may take.
 */
export const serverLimits: ServerOptions = {
  headersTimeout: 10_000,
  requestTimeout: 15_000,
  keepAliveTimeout: 10_000,
  connectionsCheckingInterval: 2_000,
  maxHeaderSize: 16_384,
};

/** The app on a server with these limits. What Node itself refuses is answered in the form of every other problem. */
export function createIngressServer(app: Express, log: Logger, tls: TlsOptions | null = null): Server {
  const server = createFastServer(app, serverLimits, tls);
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    // Half an answer is on its way already, or nobody is there to read one.
    const answering = (socket as Socket & { _httpMessage?: { headersSent: boolean } })._httpMessage;
    if (!socket.writable || error.code === 'ECONNRESET' || answering?.headersSent) return socket.destroy();
    const correlationId = newId();
    const status = statusOf[error.code ?? ''] ?? 400;
    log.info({ correlationId, status, reason: error.code, ip: socket.remoteAddress }, 'request unreadable');
    socket.end(bareAnswer(status, correlationId), () => socket.destroy());
  });
  return server;
}

const statusOf: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

const details: Readonly<Record<number, string>> = {
  408: 'the request did not arrive in time',
  413: 'the chunks of the body are not acceptable',
  431: 'the headers are too large',
};

function bareAnswer(status: number, correlationId: string): string {
  const detail = details[status] ?? 'this is not a request of HTTP/1.1';
  const body = JSON.stringify(problemBody({ code: 'INVALID_ARGUMENT', status, detail, correlationId }));
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

/** Stops taking connections and lets the requests under way finish; idle keep-alive connections end at once. */
export function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
}
