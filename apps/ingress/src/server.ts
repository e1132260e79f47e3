import type { Server, ServerOptions } from 'node:http';

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

/** Stops taking connections and lets the requests under way finish; idle keep-alive connections end at once. */
export function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
}
