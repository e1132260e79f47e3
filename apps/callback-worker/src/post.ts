import type { PostOutcome } from '@replenish/domain';
import { type DialOptions, dial, ForbiddenTarget } from './dial.js';

export type PosterOptions = DialOptions & Readonly<{ timeoutMs: number }>;

export type EventPost = Readonly<{ url: string; headers: Readonly<Record<string, string>>; body: string }>;

export type Poster = (post: EventPost, stopping: AbortSignal) => Promise<PostOutcome | 'stopped'>;

// Only the status of an answer counts. No more of its body than this is read.
const ANSWER_BYTES_MAX = 4_096;
const ANSWER_MS_MAX = 1_000;

/**
 * Posts an event once. The event has arrived only if the status is 2xx. Redirects are refused. Name look-up,
 * connection, headers and body together take `timeoutMs` at most.
 */
export function poster(options: PosterOptions): Poster {
  return async (post, stopping) => {
    const startedAtMs = performance.now();
    const limit = AbortSignal.timeout(options.timeoutMs);
    const signal = AbortSignal.any([limit, stopping]);
    const ended = (rest: Omit<PostOutcome, 'durationMs'>): PostOutcome => ({
      ...rest,
      durationMs: Math.round(performance.now() - startedAtMs),
    });
    try {
      return ended(await send(post, options, signal));
    } catch (error) {
      if (stopping.aborted) return 'stopped';
      const words = limit.aborted ? `no answer within ${options.timeoutMs} ms` : wordsOf(error);
      return ended({ httpStatus: null, error: words, retryAfterMs: null });
    }
  };
}

async function send(
  { url: text, headers, body }: EventPost,
  options: PosterOptions,
  signal: AbortSignal,
): Promise<Omit<PostOutcome, 'durationMs'>> {
  const { dispatcher, url, headers: dialHeaders } = await dial(text, options, signal);
  try {
    const response = await dispatcher.request({
      origin: url.origin,
      path: `${url.pathname}${url.search}`,
      method: 'POST',
      headers: { ...headers, ...dialHeaders },
      body,
      signal,
      headersTimeout: options.timeoutMs,
      bodyTimeout: ANSWER_MS_MAX,
      maxRedirections: undefined,
    } as Parameters<typeof dispatcher.request>[0]);
    await readSome(response.body);
    const { statusCode: httpStatus } = response;
    return {
      httpStatus,
      error: faultOf(httpStatus),
      retryAfterMs: retryAfterMs(response.headers['retry-after']),
    };
  } finally {
    void dispatcher.destroy().catch(() => {});
  }
}

function faultOf(status: number): string | null {
  if (status >= 200 && status < 300) return null;
  return status >= 300 && status < 400
    ? `answered ${status}: redirects are not followed`
    : `answered ${status}`;
}

/** Reads the beginning of an answer, so that a receiver that writes a short one sees no broken connection. */
async function readSome(body: AsyncIterable<Uint8Array>): Promise<void> {
  const untilMs = performance.now() + ANSWER_MS_MAX;
  let bytes = 0;
  try {
    for await (const chunk of body) {
      bytes += chunk.length;
      if (bytes >= ANSWER_BYTES_MAX || performance.now() > untilMs) return;
    }
  } catch {
    // The status is known, and an error in the rest of the answer does not matter.
  }
}

/** Seconds or a date (RFC 9110, 10.2.3), in milliseconds from now. Null for any other text. */
function retryAfterMs(header: string | string[] | undefined): number | null {
  const text = String(header ?? '').trim();
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1_000;
  const at = /\d{4}/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? null : Math.max(0, at - Date.now());
}

const WORDS_MAX = 200;

/** The failure in words for the client, without internal addresses. */
function wordsOf(error: unknown): string {
  if (error instanceof ForbiddenTarget) return error.message;
  const { code, message } = error as { code?: string; message?: string };
  const words = code ? (wordsOfCode[code] ?? `failed: ${code}`) : (message ?? 'failed');
  return words.replace(/[^\x20-\x7e]/g, ' ').slice(0, WORDS_MAX);
}

const wordsOfCode: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection was reset',
  ENOTFOUND: 'the name has no address',
  ENODATA: 'the name has no address',
  UND_ERR_SOCKET: 'the connection was closed without an answer',
  UND_ERR_CONNECT_TIMEOUT: 'no connection within 10 s',
  UND_ERR_HEADERS_OVERFLOW: 'the headers of the answer are too long',
};
