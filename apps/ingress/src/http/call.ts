import type { Socket } from 'node:net';
import type { Key } from '@replenish/domain';
import { addressIn } from '@replenish/runtime';
import type { OpenSpan } from '@replenish/runtime/traces';
import type { Request, RequestHandler, Response } from 'express';

/**
 * The known facts about one call, in `response.locals`. Each step adds facts. The log, the audit trail and the security
 * watch read them.
 */
export type RequestContext = {
  readonly correlationId: string;
  readonly at: Date;
  /** The address of the client, or the address of the proxy if it sent no usable one. */
  readonly ip: string;
  /** The time from the arrival to the end of the call. 0 while the call runs. */
  durationMs: number;
  /** The headers of this answer besides those of every answer, as name, value, name, value. */
  readonly headers: string[];
  ends: CallEnd[];
  key: Key | undefined;
  problem: unknown;
  /** The parsed body. Undefined when it was not parsed. */
  read: unknown;
  /** The idempotency key and the recharge (`transactionId`) of the call, for its log line. */
  idempotencyKey: string | undefined;
  transactionId: string | undefined;
  /** Takes the answer, which is then not sent. Null: it is sent. */
  hold: ((given: GivenAnswer) => void) | null;
  /** The span of the call. Null without traces, and for health and documentation. */
  span: OpenSpan | null;
  /** The trace and the span, for the log line. */
  trace: Readonly<Record<string, string>>;
  /** Whether the call counts as work in progress: see `openOverload`. */
  isWork: boolean;
  isDone: boolean;
  isClosed: boolean;
  /** Whether the caller closed the connection before the answer. */
  isGone: boolean;
  readonly end: () => void;
};

/** An answer before it is written in the form that the caller prefers. */
export type GivenAnswer = Readonly<{
  status: number;
  /** The root element of its XML form. Null: it has no body. */
  root: string | null;
  body: unknown;
  json: (body: unknown) => string;
}>;

export type CallEnd = (request: Request, response: Response, call: RequestContext) => void;

/** Sees a call before its body is read. @throws Problem to refuse the call */
export type Observer = (request: Request, response: Response) => void;

/** Runs all observers in one step of Express, because each step costs a microsecond and a kilobyte. */
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
 * A call ends when its response is closed and its work is done. If the caller leaves, its work still costs time, so the
 * call counts until the work ends.
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
    hold: null,
    span: null,
    trace: NO_TRACE,
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
    // A request whose body is not complete reaches no handler, so it causes no work.
    if (response.writableEnded || !request.complete) call.isDone = true;
    call.end();
  };
  response.once('close', close);
  if (response.socket === null) closeWithSocket(request.socket, close);
}

const OVER: CallEnd[] = [];
const NO_TRACE = {};

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

/** The status of the answer. 499 if the caller left before the answer. */
export const answeredStatus = (response: Response): number =>
  callOf(response).isGone ? CLIENT_GONE : response.statusCode;
