import type { Socket } from 'node:net';
import type { Key } from '@replenish/domain';
import { addressIn } from '@replenish/runtime';
import type { Request, RequestHandler, Response } from 'express';

/**
 * Everything known about one call, in `response.locals`. Each step adds what it learns; the log, the audit trail and
 * the security watch read it.
 */
export type RequestContext = {
  readonly correlationId: string;
  readonly at: Date;
  /** Address of the client. If a proxy sent no usable address, the address of the proxy. */
  readonly ip: string;
  /** Time from arrival to end of the call; 0 while it runs. */
  durationMs: number;
  /** Headers of this answer besides the standing ones: name, value, name, value. */
  readonly headers: string[];
  ends: CallEnd[];
  key: Key | undefined;
  problem: unknown;
  /** The parsed body; undefined when it was not parsed. */
  read: unknown;
  /** For the log line: idempotency key and recharge of the call. */
  idempotencyKey: string | undefined;
  transactionId: string | undefined;
  /** Whether the call counts as work in progress: see `openOverload`. */
  isWork: boolean;
  isDone: boolean;
  isClosed: boolean;
  /** Whether the caller closed the connection before the answer. */
  isGone: boolean;
  readonly end: () => void;
};

export type CallEnd = (request: Request, response: Response, call: RequestContext) => void;

/** Sees a call before its body is read. @throws Problem to refuse the call */
export type Observer = (request: Request, response: Response) => void;

/** Runs all observers in one step of Express: each step costs a microsecond and a kilobyte. */
export const observeAll =
  (onlookers: readonly Observer[]): RequestHandler =>
  (request, response, next) => {
    for (const see of onlookers) see(request, response);
    next();
  };

export const callOf = (response: Response): RequestContext => response.locals as RequestContext;

/**
 * Begins a call. All fields are set from the start, because objects of one shape are the fastest to read.
 *
 * A call ends when its response is closed and its work is done. Work that a caller has left behind still costs, so
 * the call counts until that work ends.
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
    // A body that is not complete reaches no handler, so no work follows.
    if (response.writableEnded || !request.complete) call.isDone = true;
    call.end();
  };
  response.once('close', close);
  if (response.socket === null) closeWithSocket(request.socket, close);
}

const OVER: CallEnd[] = [];

/** Marks the work of the call as done. The caller may have left. */
export function done(response: Response): void {
  const call = callOf(response);
  call.isDone = true;
  call.end();
}

const queued = new WeakMap<Socket, Set<() => void>>();

/**
 * Node emits no `close` for a response that is queued behind another one when the connection dies, so the socket's
 * `close` stands for it.
 */
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

/** Adds a function that runs when the call ends, answered or not. Functions run in the order of adding. */
export const atEnd = (response: Response, end: CallEnd): void => {
  callOf(response).ends.push(end);
};

// The status of nginx for a client that left before the answer.
const CLIENT_GONE = 499;

/** Status of the answer; 499 when the caller left before it. */
export const answeredStatus = (response: Response): number =>
  callOf(response).isGone ? CLIENT_GONE : response.statusCode;
