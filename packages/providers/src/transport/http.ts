import { traceHeaders } from '@replenish/runtime/traces';
import { type Dispatcher, Pool } from 'undici';
import type { SubmitOutcome } from '../contract/order.js';

/** The outcomes of a request without an answer: `unknown`, or `not_executed` if nothing was sent. */
export type NoAnswer = Extract<SubmitOutcome, { kind: 'unknown' | 'not_executed' }>;

/** One HTTP exchange. `json` is undefined when the body was not JSON or exceeded the size limit. */
export type Exchange =
  | Readonly<{ isAnswered: true; status: number; json: unknown; retryAfterMs: number | undefined }>
  | Readonly<{ isAnswered: false; status: number | null; outcome: NoAnswer }>;

export type HttpRequest = Readonly<{
  method: 'GET' | 'POST';
  path: string;
  query?: Readonly<Record<string, string>>;
  headers?: Readonly<Record<string, string>>;
  body?: string;
}>;

export interface HttpClient {
  /**
   * Makes one request, without retries and redirects.
   * @throws only when the request could not be written at all, which is a bug
   */
  exchange(request: HttpRequest, signal: AbortSignal): Promise<Exchange>;
  close(): Promise<void>;
}

// An order is under 1 KB, and the list for one reference has one order. So 64 KB is more than enough, and a broken
// provider that sends 100 MB does not fill the memory. undici closes the connection at the limit.
const BODY_LIMIT_BYTES = 64 * 1024;

/**
 * Opens keep-alive connections to one provider. Their number is limited by the calls that the workers have in flight.
 */
export function openHttp(baseUrl: string, now: () => Date): HttpClient {
  const base = new URL(baseUrl);
  const pool = new Pool(base.origin, { maxResponseSize: BODY_LIMIT_BYTES });
  const client = pool.compose(reportSending);
  const prefix = base.pathname.replace(/\/$/, '');
  return {
    exchange: (request, signal) => exchange(client, prefix, request, signal, now),
    // Closing does not wait for calls in flight, because they have their own time limit.
    close: () => pool.destroy(),
  };
}

async function exchange(
  client: Dispatcher,
  prefix: string,
  { method, path, query, headers, body }: HttpRequest,
  signal: AbortSignal,
  now: () => Date,
): Promise<Exchange> {
  let isSent = false;
  let status: number | null = null;
  const onSending = () => {
    isSent = true;
  };
  try {
    const sent = Object.assign({}, headers, traceHeaders());
    const options = { method, path: prefix + path, headers: sent, query, body, signal, onSending };
    const response = await client.request(options as Dispatcher.RequestOptions);
    status = response.statusCode;
    const retryAfterMs = retryAfterMsOf(response.headers['retry-after'], now());
    return { isAnswered: true, status, json: await jsonOf(response.body), retryAfterMs };
  } catch (error) {
    return { isAnswered: false, status, outcome: noAnswerOf(error, isSent, signal) };
  }
}

/**
 * Calls the request's `onSending` when its first byte is about to be written. This separates `not_executed` from
 * `unknown`. Error codes cannot separate them: ECONNRESET during a TLS handshake has the same code as ECONNRESET after
 * the request was read.
 */
const reportSending: Dispatcher.DispatcherComposeInterceptor =
  (dispatch) => (options: Dispatcher.DispatchOptions & { onSending?: () => void }, handler) =>
    dispatch(options, {
      onRequestStart(controller, context) {
        handler.onRequestStart?.(controller, context);
        // If the signal was aborted while the request waited for a connection, nothing is written.
        if (!controller.aborted) options.onSending?.();
      },
      onRequestUpgrade: (...given) => handler.onRequestUpgrade?.(...given),
      onResponseStart: (...given) => handler.onResponseStart?.(...given),
      onResponseData: (...given) => handler.onResponseData?.(...given),
      onResponseEnd: (...given) => handler.onResponseEnd?.(...given),
      onResponseError: (...given) => handler.onResponseError?.(...given),
    });

/**
 * The parsed body. Undefined when it is too large, not UTF-8 or not JSON. The answer is still valid then, because its
 * status line was received.
 */
async function jsonOf(body: Dispatcher.ResponseData['body']): Promise<unknown> {
  const bytes = await bytesOf(body);
  try {
    return bytes && JSON.parse(utf8.decode(bytes));
  } catch {
    return undefined;
  }
}

// A decoder that takes whole texts keeps nothing between them. To make one costs more than to decode an order.
const utf8 = new TextDecoder('utf-8', { fatal: true });

async function bytesOf(body: Dispatcher.ResponseData['body']): Promise<Uint8Array | undefined> {
  try {
    return await body.bytes();
  } catch (error) {
    if (codeOf(error) === 'UND_ERR_RES_EXCEEDED_MAX_SIZE') return undefined;
    throw error;
  }
}

const timeoutCodes = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT']);
// The peer answered, but not in HTTP. Some errors of undici's parser have no code, hence the empty alternative.
const unreadableCodes = /^(HPE_.*|UND_ERR_HEADERS_OVERFLOW|UND_ERR_RES_CONTENT_LENGTH_MISMATCH|)$/;

function noAnswerOf(error: unknown, isSent: boolean, signal: AbortSignal): NoAnswer {
  const code = codeOf(error) ?? '';
  if (!isSent) {
    // Without a code, or with UND_ERR_INVALID_ARG, the request could not be written. That is a bug of ours and not a
    // failure of the network.
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

// The longest accepted wait. It is longer than any realistic rate limit. A value such as "1000000000" must not block
// money.
const RETRY_AFTER_MAX_MS = 60_000;

/**
 * Parses Retry-After (RFC 9110, 10.2.3): seconds or an HTTP date. A past date or a negative number is 0, other text is
 * undefined.
 */
export function retryAfterMsOf(header: string | string[] | undefined, now: Date): number | undefined {
  const text = (Array.isArray(header) ? header[0] : header)?.trim() ?? '';
  const afterMs = /^-?\d+(\.\d+)?$/.test(text)
    ? Number(text) * 1_000
    : / GMT$/.test(text)
      ? Date.parse(text) - now.getTime()
      : Number.NaN;
  return Number.isNaN(afterMs) ? undefined : Math.min(Math.max(Math.ceil(afterMs), 0), RETRY_AFTER_MAX_MS);
}
