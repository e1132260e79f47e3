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

/** As much of an Express app as is needed: its request and response prototypes. */
export type PrototypedApp = RequestListener & { request: object; response: object };

export type TlsOptions = Pick<
  SecureOptions,
  'cert' | 'key' | 'ca' | 'requestCert' | 'rejectUnauthorized' | 'minVersion' | 'handshakeTimeout'
>;

/**
 * An HTTP server whose requests and responses are born with Express's prototypes.
 *
 * Express sets them anew on every request, which V8 in Node 20 and 22 pays for with three quarters of the throughput
 * (nodejs/node#37457); on objects that already have them the call does nothing. Mount routers, not apps: an app inside
 * an app has prototypes of its own. With `tls` it speaks https, and nothing else on that port.
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
