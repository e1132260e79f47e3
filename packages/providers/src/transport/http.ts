import { type Dispatcher, Pool } from 'undici';
import type { SubmitOutcome } from '../contract/order.js';

/** The two outcomes that need no answer: nobody can say, or nothing was sent. */
export type NoAnswer = Extract<SubmitOutcome, { kind: 'unknown' | 'not_executed' }>;

/** One HTTP exchange. `json` is undefined when the body was not JSON within the size limit. */
export type Exchange =
  | Readonly<{ heard: true; status: number; json: unknown; retryAfterMs: number | undefined }>
  | Readonly<{ heard: false; status: number | null; outcome: NoAnswer }>;

export type HttpRequest = Readonly<{
  method: 'GET' | 'POST';
  path: string;
  query?: Readonly<Record<string, string>>;
  headers?: Readonly<Record<string, string>>;
  body?: string;
}>;

export interface HttpClient {
  /** One request, no retry, no redirect. @throws only for a request that could not be written at all: a bug. */
  exchange(request: HttpRequest, signal: AbortSignal): Promise<Exchange>;
  close(): Promise<void>;
}

// An order is under 1 KB and the list of one reference is one order: 64 KB is generous, and memory stays flat
// when a broken provider sends 100 MB. undici destroys the connection at the limit.
const BODY_LIMIT_BYTES = 64 * 1024;

/** Keep-alive connections to one provider. Their number is bounded by the calls the workers have in flight. */
export function openHttp(baseUrl: string, now: () => Date): HttpClient {
  const base = new URL(baseUrl);
  const pool = new Pool(base.origin, { maxResponseSize: BODY_LIMIT_BYTES });
  const client = pool.compose(tellSending);
  const prefix = base.pathname.replace(/\/$/, '');
  return {
    exchange: (request, signal) =>
      exchange(
        client,
        { ...request, path: prefix + request.path, headers: { ...request.headers } },
        signal,
        now,
      ),
    // Calls in flight have their own limit; closing waits for none of them.
    close: () => pool.destroy(),
  };
}

async function exchange(
  client: Dispatcher,
  request: Dispatcher.RequestOptions,
  signal: AbortSignal,
  now: () => Date,
): Promise<Exchange> {
  let isSent = false;
  let status: number | null = null;
  const onSending = () => {
    isSent = true;
  };
  try {
    const response = await client.request({ ...request, signal, onSending } as Dispatcher.RequestOptions);
    status = response.statusCode;
    const retryAfterMs = retryAfterMsOf(response.headers['retry-after'], now());
    return { heard: true, status, json: await jsonOf(response.body), retryAfterMs };
  } catch (error) {
    return { heard: false, status, outcome: noAnswerOf(error, isSent, signal) };
  }
}

/**
 * Tells a request's own `onSending` when the first byte is about to be written. This, not the error's code, separates "certainly not executed"
 * from "nobody knows": ECONNRESET during a TLS handshake and after the request was read carry the same code.
 */
const tellSending: Dispatcher.DispatcherComposeInterceptor =
  (dispatch) => (options: Dispatcher.DispatchOptions & { onSending?: () => void }, handler) =>
    dispatch(options, {
      onRequestStart(controller, context) {
        handler.onRequestStart?.(controller, context);
        // A request whose signal was aborted while it waited for a connection ends here, unwritten.
        if (!controller.aborted) options.onSending?.();
      },
      onRequestUpgrade: (...heard) => handler.onRequestUpgrade?.(...heard),
      onResponseStart: (...heard) => handler.onResponseStart?.(...heard),
      onResponseData: (...heard) => handler.onResponseData?.(...heard),
      onResponseEnd: (...heard) => handler.onResponseEnd?.(...heard),
      onResponseError: (...heard) => handler.onResponseError?.(...heard),
    });

/** Undefined: too large, not UTF-8 or not JSON. The status line was heard, so the answer stands without its body. */
async function jsonOf(body: Dispatcher.ResponseData['body']): Promise<unknown> {
  const bytes = await bytesOf(body);
  try {
    return bytes && JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}

async function bytesOf(body: Dispatcher.ResponseData['body']): Promise<Uint8Array | undefined> {
  try {
    return await body.bytes();
  } catch (error) {
    if (codeOf(error) === 'UND_ERR_RES_EXCEEDED_MAX_SIZE') return undefined;
    throw error;
  }
}

const timeoutCodes = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT']);
// Something did answer, but not in HTTP. undici's parser leaves some of its errors without a code.
const unreadableCodes = /^(HPE_.*|UND_ERR_HEADERS_OVERFLOW|UND_ERR_RES_CONTENT_LENGTH_MISMATCH|)$/;

function noAnswerOf(error: unknown, isSent: boolean, signal: AbortSignal): NoAnswer {
  const code = codeOf(error) ?? '';
  if (!isSent) {
    // No code, or undici's word for a request that cannot be written: ours to mend, not the network's.
    if (!signal.aborted && (code === '' || code === 'UND_ERR_INVALID_ARG')) throw error;
    return { kind: 'not_executed', cause: 'unreachable' };
  }
  if (signal.aborted || timeoutCodes.has(code)) return { kind: 'unknown', cause: 'timeout' };
  return { kind: 'unknown', cause: unreadableCodes.test(code) ? 'unreadable' : 'disconnected' };
}

function codeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : undefined;
}

// A minute: longer than any honest rate limit here, short enough that a provider's "1000000000" parks no money.
const RETRY_AFTER_MAX_MS = 60_000;

/** RFC 9110 10.2.3: seconds or an HTTP date. A past date or a negative number is 0; nonsense is undefined. */
export function retryAfterMsOf(header: string | string[] | undefined, now: Date): number | undefined {
  const text = (Array.isArray(header) ? header[0] : header)?.trim() ?? '';
  const afterMs = /^-?\d+(\.\d+)?$/.test(text)
    ? Number(text) * 1_000
    : / GMT$/.test(text)
      ? Date.parse(text) - now.getTime()
      : Number.NaN;
  return Number.isNaN(afterMs) ? undefined : Math.min(Math.max(Math.ceil(afterMs), 0), RETRY_AFTER_MAX_MS);
}
