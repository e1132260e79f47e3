import { subscribe } from 'node:diagnostics_channel';
import type { ClientRequest, IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { LocalValue } from './local-value.js';

type HttpLimits = Readonly<{
  /** The most bytes of one answer, headers included. */
  answerMaxBytes: number;
  /** Ends the requests that are still open. */
  signal: AbortSignal;
  /** Gets the headers of each answer, which the errors of an SDK do not tell. */
  hear?: (headers: IncomingHttpHeaders) => void;
}>;

const current = new LocalValue<HttpLimits>();
let isWatching = false;

/**
 * Runs code that makes requests by `node:http`, and closes the connection of each request that breaks a limit. It is for
 * SDKs that take neither a signal nor a limit: one reads an answer of 100 MB to its end, and keeps the connection of an
 * answer that never ends.
 */
export function withHttpLimits<T>(limits: HttpLimits, run: () => Promise<T>): Promise<T> {
  if (!isWatching) subscribe('http.client.request.start', watch);
  isWatching = true;
  return current.run(limits, run);
}

function watch(message: unknown): void {
  const limits = current.get();
  if (limits) limit((message as { request: ClientRequest }).request, limits);
}

function limit(request: ClientRequest, { answerMaxBytes, signal, hear }: HttpLimits): void {
  let bytes = 0;
  let socket: Socket | undefined;
  const end = (code: string) => request.destroy(Object.assign(new Error(code), { code }));
  const count = (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > answerMaxBytes) end('ERR_ANSWER_TOO_LONG');
  };
  const listen = (given: Socket) => {
    socket = given;
    socket.on('data', count);
  };
  const abort = () => end('ERR_ABORTED');
  if (request.socket) listen(request.socket);
  else request.once('socket', listen);
  signal.addEventListener('abort', abort, { once: true });
  if (hear) request.prependOnceListener('response', ({ headers }: IncomingMessage) => hear(headers));
  // The connection serves further requests after this one.
  request.once('close', () => {
    socket?.off('data', count);
    signal.removeEventListener('abort', abort);
  });
}
