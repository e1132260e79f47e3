import type { Key } from '@replenish/domain';
import type { Request, RequestHandler, Response } from 'express';

/** What is known of a call: `response.locals`, filled by whoever learns it, for whoever files the call. */
export type Call = {
  readonly correlationId: string;
  readonly at: Date;
  readonly ip: string;
  /** From its arrival to its end; 0 until then. */
  durationMs: number;
  /** Of its answer, besides those of every answer: name, value, name, value. */
  readonly headers: string[];
  readonly ends: CallEnd[];
  key: Key | undefined;
  problem: unknown;
  /** The body as it was read, when it was. */
  read: unknown;
};

type CallEnd = (request: Request, response: Response, call: Call) => void;

/** Sees a call before anything is read of it. @throws Problem to turn it away */
export type Onlooker = (request: Request, response: Response) => void;

/** All of them as one step of Express, which spends a microsecond and a kilobyte on each. */
export const seenBy =
  (onlookers: readonly Onlooker[]): RequestHandler =>
  (request, response, next) => {
    for (const see of onlookers) see(request, response);
    next();
  };

export const callOf = (response: Response): Call => response.locals as Call;

/** Begins a call. All of its fields are there from now on: objects of one shape are the quickest to read. */
export function openCall(request: Request, response: Response, correlationId: string): void {
  const startedAtMs = performance.now();
  const call: Call = {
    correlationId,
    at: new Date(),
    ip: (request.ip ?? '').replace(/^::ffff:/, ''),
    durationMs: 0,
    headers: [],
    ends: [],
    key: undefined,
    problem: undefined,
    read: undefined,
  };
  response.locals = call;
  response.once('close', () => {
    call.durationMs = Math.round((performance.now() - startedAtMs) * 10) / 10;
    for (const end of call.ends) end(request, response, call);
  });
}

/** Runs when the call is over, answered or not, in the order asked. */
export const atEnd = (response: Response, end: CallEnd): void => {
  callOf(response).ends.push(end);
};

// nginx's number for a client that left before it was answered.
const CLIENT_GONE = 499;

/** What the caller was answered, or that it left before. */
export const statusOf = (response: Response): number =>
  response.headersSent ? response.statusCode : CLIENT_GONE;
