import { type SecurityRule, StoreUnavailable } from '@replenish/domain';
import { type Logger, type OutageLog, openOutageLog } from '@replenish/runtime';
import type { ErrorRequestHandler, Request, RequestHandler, Response } from 'express';
import { callOf, type RequestContext } from '../call.js';
import { redacted } from '../redaction.js';
import { answerProblem } from './answer.js';
import { addHeader } from './send.js';

/** The closed set of error codes. Each has its own meaning, and a page under /docs/errors/<code>. */
export const codes = {
  INVALID_ARGUMENT: { status: 400, title: 'The request is not valid' },
  UNAUTHENTICATED: { status: 401, title: 'The caller could not be identified' },
  UNAUTHORIZED: { status: 403, title: 'The caller may not do this' },
  NOT_FOUND: { status: 404, title: 'Not found' },
  DUPLICATE_REQUEST: { status: 422, title: 'The idempotency key was used with another request' },
  INVALID_STATE: { status: 409, title: 'The present state does not allow this' },
  INSUFFICIENT_BALANCE: { status: 402, title: 'The balance does not cover the amount' },
  RATE_LIMITED: { status: 429, title: 'Too many requests' },
  INTERNAL_ERROR: { status: 500, title: 'Unexpected error' },
} as const;

export type Code = keyof typeof codes;
export type FieldError = Readonly<{ path: string; message: string }>;

type AnsweredProblem = 'status' | 'errors' | 'headers' | 'suspicion';

/** A refusal or an error. Handlers throw it, and `answerProblems` writes it. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly code: Code;
  readonly status: number;
  readonly errors: readonly FieldError[] | undefined;
  readonly headers: Readonly<Record<string, string>>;
  /** The security rule that counts this problem. It is never part of the answer. */
  readonly suspicion: SecurityRule | undefined;

  constructor(code: Code, detail: string, more: Partial<Pick<Problem, AnsweredProblem>> = {}) {
    super(detail);
    this.code = code;
    this.status = more.status ?? codes[code].status;
    this.errors = more.errors;
    this.headers = more.headers ?? {};
    this.suspicion = more.suspicion;
  }
}

/** Faults of the request, one per field. The path is empty when the whole body is at fault. */
export function invalid(...errors: readonly FieldError[]): Problem {
  const detail = errors.map(({ path, message }) => `${path || 'body'}: ${message}`).join('; ');
  return new Problem('INVALID_ARGUMENT', detail, { errors });
}

/** RFC 9457. The detail is for people. Programs read `code`. */
function writeProblem(request: Request, response: Response, problem: Problem): void {
  for (const [name, value] of Object.entries(problem.headers)) addHeader(response, name, value);
  const errors = problem.errors?.map(({ path, message }) => ({ path: redacted(path), message }));
  const body = problemBody(request.app, {
    code: problem.code,
    status: problem.status,
    detail: redacted(problem.message),
    correlationId: callOf(response).correlationId,
  });
  answerProblem(request, response, { ...body, ...(errors && { errors }) });
}

/** Name of the application's setting that holds the public address. It is not set when that address is unknown. */
export const PUBLIC_URL = 'public url';
type ProblemTypes = Readonly<{ get: (name: string) => string | undefined }>;

type ProblemText = Readonly<{ code: Code; status: number; detail: string; correlationId: string }>;

/**
 * The body of a problem. If the public address is known, `type` is an absolute address, so that it can be opened from a
 * log.
 */
export const problemBody = (app: ProblemTypes, { code, status, detail, correlationId }: ProblemText) => ({
  type: `${app.get(PUBLIC_URL) ?? ''}/docs/errors/${code}`,
  title: codes[code].title,
  status,
  detail,
  code,
  correlationId,
});

export const notFound: RequestHandler = (request) => {
  throw new Problem('NOT_FOUND', `there is no route for ${request.method} ${request.path}`);
};

/** Turns any thrown error into a problem. Only the log gets the details of an unexpected error. */
export const answerProblems = (log: Logger): ErrorRequestHandler => {
  const outage = openOutageLog(log, 'the store does not answer');
  return (error, request, response, next) => {
    if (response.headersSent) return next(error);
    writeProblem(request, response, problemFrom(error, { log, outage }, callOf(response)));
  };
};

type Logs = Readonly<{ log: Logger; outage: OutageLog }>;

function problemFrom(
  error: unknown,
  { log, outage }: Logs,
  { correlationId, trace }: RequestContext,
): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof StoreUnavailable) {
    outage.failed(error, { correlationId, ...trace });
    return new Problem(
      'INTERNAL_ERROR',
      'the database does not answer; repeat the request with the same idempotency key',
      {
        status: 503,
        headers: { 'retry-after': '1' },
      },
    );
  }
  const status = (error as { status?: unknown } | null)?.status;
  if (typeof status === 'number' && status >= 400 && status < 500) return bodyProblem(status);
  log.error({ err: error, correlationId, ...trace }, 'request failed');
  return new Problem('INTERNAL_ERROR', 'unexpected error; send us the correlationId');
}

/** Errors of Express and of its body reader, which carry a status. */
function bodyProblem(status: number): Problem {
  if (status === 413) return new Problem('INVALID_ARGUMENT', 'the body is too large', { status });
  if (status === 415)
    return new Problem('INVALID_ARGUMENT', 'send the body without Content-Encoding', { status });
  return new Problem('INVALID_ARGUMENT', 'the request could not be read', {
    status: status === 404 ? 400 : status,
  });
}
