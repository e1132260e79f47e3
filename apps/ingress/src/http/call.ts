import type { Socket } from 'node:net';
import type { Key } from '@replenish/domain';
import { addressIn } from '@replenish/runtime';
import type { Request, RequestHandler, Response } from 'express';

/** What is known of a call: `response.locals`, filled by whoever learns it, for whoever files the call. */
export type RequestContext = {
  readonly correlationId: string;
  readonly at: Date;
  /** The client's address, or that of the proxy which wrote down no address. */
  readonly ip: string;
  /** From its arrival to its end; 0 until then. */
  durationMs: number;
  /** Of its answer, besides those of every answer: name, value, name, value. */
  readonly headers: string[];
  ends: CallEnd[];
  key: Key | undefined;
  problem: unknown;
  /** The body as it was read, when it was. */
  read: unknown;
  /** What was asked for and which recharge that is, for whoever follows it through the logs. */
  idempotencyKey: string | undefined;
  transactionId: string | undefined;
  /** It counts among the work under way: see `openOverload`. */
  isWork: boolean;
  isDone: boolean;
  isClosed: boolean;
  /** The caller left before it was answered. */
  isGone: boolean;
  readonly end: () => void;
};

export type CallEnd = (request: Request, response: Response, call: RequestContext) => void;

/** Sees a call before anything is read of it. @throws Problem to turn it away */
export type Observer = (request: Request, response: Response) => void;

/** All of them as one step of Express, which spends a microsecond and a kilobyte on each. */
export const seenBy =
  (onlookers: readonly Observer[]): RequestHandler =>
  (request, response, next) => {
    for (const see of onlookers) see(request, response);
    next();
  };

export const callOf = (response: Response): RequestContext => response.locals as RequestContext;

/**
 * Begins a call. All of its fields are there from now on: objects of one shape are the quickest to read.
 *
 * It is over when its response is closed and its work is done: a caller that leaves takes its place with it only when
 * what it asked for no longer costs anything.
 */
export function openCall(request: Request, response: Response, correlationId: string): void {
  const startedAtMs = performance.now();
  const call: RequestContext = {
    correlationId,
    at: new Date(),
    ip: request.ip ?? addressIn(request.socket.remoteAddress ?? '') ?? '',
    durationMs: 0,
    headers: [],
    ends: [],
    key: undefined,
    problem: undefined,
    read: undefined,
    idempotencyKey: undefined,
    transactionId: undefined,
    isWork: false,
    isDone: false,
    isClosed: false,
    isGone: false,
    end: () => {
      if (!call.isDone || !call.isClosed) return;
      call.durationMs = Math.round((performance.now() - startedAtMs) * 10) / 10;
      const { ends } = call;
      call.ends = OVER;
      for (const end of ends) end(request, response, call);
    },
  };
  response.locals = call;
  const close = (): void => {
    call.isClosed = true;
    queued.get(request.socket)?.delete(close);
    call.isGone = !response.headersSent;
    // A body that broke off is handed to nobody.
    if (response.writableEnded || !request.complete) call.isDone = true;
    call.end();
  };
  response.once('close', close);
  if (response.socket === null) closeWithSocket(request.socket, close);
}

const OVER: CallEnd[] = [];

/** The call's work is done, whether or not anybody hears of it. */
export function done(response: Response): void {
  const call = callOf(response);
  call.isDone = true;
  call.end();
}

const queued = new WeakMap<Socket, Set<() => void>>();

/** Node tells no response of its end that still waits behind another one on a connection when that dies. */
function closeWithSocket(socket: Socket, close: () => void): void {
  const known = queued.get(socket);
  if (known) {
    known.add(close);
    return;
  }
  const waiting = new Set([close]);
  queued.set(socket, waiting);
  socket.once('close', () => {
    for (const each of waiting) each();
  });
}

/** Runs when the call is over, answered or not, in the order asked. */
export const atEnd = (response: Response, end: CallEnd): void => {
  callOf(response).ends.push(end);
};

// nginx's number for a client that left before it was answered.
const CLIENT_GONE = 499;

/** What the caller was answered, or that it left before. */
export const statusTold = (response: Response): number =>
  callOf(response).isGone ? CLIENT_GONE : response.statusCode;
