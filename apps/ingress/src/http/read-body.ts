import type { NextFunction, Request, RequestHandler, Response } from 'express';
import { Problem } from './answers/problem.js';

/** The bodies that have not arrived completely. */
export interface Arrivals {
  /** @param refuse called at most once, with the reason for which the rest of the body is not awaited */
  begin(response: Response, refuse: (problem: Problem) => void): void;
  /** Adds the bytes of the body that have just come. */
  grow(response: Response, bytes: number): void;
  /** Ends an arrival. The body is complete, or its caller has been answered. */
  end(response: Response): void;
}

/** Limits for the bodies that are arriving and for the requests in work. */
export type Intake = Readonly<{
  arrivals: Arrivals;
  overload: Readonly<{
    /** Counts a request whose body is complete. @throws Problem to refuse the request */
    enter: (response: Response) => void;
  }>;
}>;

/**
 * Reads the body as bytes. A body beyond `bytesMax` is refused immediately. The rest of it is read and dropped until
 * the time limit of the server.
 *
 * A POST or PUT counts as work when its body is complete. Until then it is an arrival, which has limits of its own.
 *
 * Express's body-parser is not used. It refuses a large body only after its last byte, and took a twentieth of the time
 * of a request.
 */
export const readBody =
  (bytesMax: number, intake: Intake | null, largerOf: LargerLimit = () => undefined): RequestHandler =>
  (request, response, next) => {
    const {
      'content-length': length,
      'transfer-encoding': transfer,
      'content-encoding': encoding,
    } = request.headers;
    const hasBody = length !== undefined || transfer !== undefined;
    // Only a POST or PUT may have a body, because reading it costs memory before the caller is known.
    if (!MAY_HAVE_BODY.has(request.method))
      return next(!hasBody || hasNoBody(request) ? undefined : unwanted());
    if (!hasBody) return enter(intake, response, next);
    if (encoding !== undefined && !/^identity$/i.test(encoding)) return next(packed());
    const isTooLarge = (bytes: number): boolean =>
      bytes > bytesMax && bytes > (largerOf(request.path) ?? bytesMax);
    if (isTooLarge(Number(length))) return next(tooLarge());
    receive(request, response, { isTooLarge, intake, next });
  };

const MAY_HAVE_BODY: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH']);
const MUST_HAVE_NONE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'DELETE']);

/** The limit of a path that takes larger bodies. It is asked only about a body beyond the limit of all others. */
type LargerLimit = (path: string) => number | undefined;

type Receiving = Readonly<{
  isTooLarge: (bytes: number) => boolean;
  intake: Intake | null;
  next: NextFunction;
}>;

function receive(request: Request, response: Response, { isTooLarge, intake, next }: Receiving): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  let isRefused = false;
  const refuse = (problem: Problem): void => {
    isRefused = true;
    chunks.length = 0;
    next(problem);
  };
  // Most bodies come in one packet with their headers. By the next tick Node has read such a body, and has not emitted
  // any of it. So the body never counts as an arrival, which would cost 7 us. Node sets `complete` a tick later.
  process.nextTick(() => {
    const isWhole = request.complete || request.readableLength === Number(request.headers['content-length']);
    if (!isWhole) intake?.arrivals.begin(response, refuse);
    if (!isRefused && request.headers.expect !== undefined) response.writeContinue();
  });
  request.on('data', (chunk: Buffer) => {
    if (isRefused) return;
    bytes += chunk.length;
    chunks.push(chunk);
    if (isTooLarge(bytes)) {
      intake?.arrivals.end(response);
      refuse(tooLarge());
    } else intake?.arrivals.grow(response, chunk.length);
  });
  request.on('end', () => {
    if (isRefused) return;
    intake?.arrivals.end(response);
    request.body = chunks.length === 1 ? chunks[0] : Buffer.concat(chunks);
    enter(intake, response, next);
  });
}

function enter(intake: Intake | null, response: Response, next: NextFunction): void {
  let problem: unknown;
  try {
    intake?.overload.enter(response);
  } catch (error) {
    problem = error;
  }
  next(problem);
}

/** Whether there is no body to refuse here. No route has a method that is in neither list, so such a call is refused. */
const hasNoBody = ({ method, headers }: Request): boolean =>
  !MUST_HAVE_NONE.has(method) || headers['content-length'] === '0';

const unwanted = (): Problem =>
  new Problem(
    'INVALID_ARGUMENT',
    'GET, HEAD and DELETE take no body: write what is asked for into the path and the query',
  );

const tooLarge = (): Problem => new Problem('INVALID_ARGUMENT', 'the body is too large', { status: 413 });

const packed = (): Problem =>
  new Problem('INVALID_ARGUMENT', 'send the body without Content-Encoding', { status: 415 });
