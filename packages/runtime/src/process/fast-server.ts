import {
  createServer,
  IncomingMessage,
  type RequestListener,
  type Server,
  type ServerOptions,
  ServerResponse,
} from 'node:http';
import { createServer as createSecureServer, type ServerOptions as SecureOptions } from 'node:https';
import type { Socket } from 'node:net';

type Constructed<This, Arguments extends unknown[]> = { call(self: This, ...given: Arguments): void };

/** The part of an Express app that is used here: the prototypes of its requests and responses. */
export type PrototypedApp = RequestListener & { request: object; response: object };

export type TlsOptions = Pick<
  SecureOptions,
  'cert' | 'key' | 'ca' | 'requestCert' | 'rejectUnauthorized' | 'minVersion' | 'handshakeTimeout'
>;

/**
 * An HTTP server that creates requests and responses with the prototypes of Express.
 *
 * Express otherwise changes the prototype on every request, which costs three quarters of the throughput in Node 20 and
 * 22 (nodejs/node#37457). If the prototype is already right, the change does nothing. Mount routers, not apps: a
 * mounted app has its own prototypes. With `tls` the port serves only HTTPS.
 */
export function createFastServer(
  app: PrototypedApp,
  options: ServerOptions = {},
  tls: TlsOptions | null = null,
): Server {
  function Request(this: IncomingMessage, socket: Socket) {
    (IncomingMessage as unknown as Constructed<IncomingMessage, [Socket]>).call(this, socket);
  }
  Request.prototype = app.request;
  function Response(this: ServerResponse, request: IncomingMessage, given: unknown) {
    (ServerResponse as unknown as Constructed<ServerResponse, [IncomingMessage, unknown]>).call(
      this,
      request,
      given,
    );
  }
  Response.prototype = app.response;
  const born = {
    ...options,
    IncomingMessage: Request as unknown as typeof IncomingMessage,
    ServerResponse: Response as unknown as typeof ServerResponse,
  };
  return tls ? createSecureServer({ ...born, ...tls }, app) : createServer(born, app);
}
