import { traceHeaders } from '@replenish/runtime/traces';
import { type Dispatcher, Pool } from 'undici';
import { decoding } from './decode.js';
import type { NoAnswer } from './http.js';

// A page of a list holds at most 100 objects of about 4 KB. The limit also holds for the decoded body.
const BODY_LIMIT_BYTES = 1024 * 1024;

/** One request of an SDK. It watches what goes over the wire, because the errors of the SDKs do not tell it. */
export interface SdkCall {
  /** Connections for this request only. A second request through them is refused, so an SDK cannot repeat it. */
  readonly dispatcher: Dispatcher;
  /** The HTTP status that arrived. Null: none. */
  readonly status: number | null;
  /** Runs the request. It rejects when the time limit of the call ends. */
  run<T>(request: () => Promise<T>): Promise<T>;
  /** The outcome of a request that ended without a readable answer. */
  noAnswer(): NoAnswer;
}

export interface SdkTransport {
  begin(signal: AbortSignal): SdkCall;
  close(): Promise<void>;
}

/** Opens keep-alive connections to the host of an SDK. */
export function openSdkTransport(baseUrl: string): SdkTransport {
  const pool = new Pool(new URL(baseUrl).origin, { maxResponseSize: BODY_LIMIT_BYTES });
  return {
    begin: (signal) => new WatchedCall(pool, signal),
    close: () => pool.destroy(),
  };
}

class WatchedCall implements SdkCall {
  readonly dispatcher: Dispatcher;
  readonly #signal: AbortSignal;
  status: number | null = null;
  #isStarted = false;
  #isSent = false;
  #isComplete = false;

  constructor(pool: Pool, signal: AbortSignal) {
    this.#signal = signal;
    this.dispatcher = pool.compose((dispatch) => (options, handler) => {
      // urllib repeats a request whose connection broke, although the provider may have executed it.
      if (this.#isStarted) throw new Error('an SDK tried to send its request a second time');
      this.#isStarted = true;
      return dispatch(inTrace(options), this.#watch(decoding(handler, BODY_LIMIT_BYTES)));
    });
  }

  #watch(handler: Dispatcher.DispatchHandler): Dispatcher.DispatchHandler {
    return {
      onRequestStart: (controller, context) => {
        const abort = () => controller.abort(this.#signal.reason ?? new Error('aborted'));
        if (this.#signal.aborted) abort();
        else this.#signal.addEventListener('abort', abort, { once: true });
        handler.onRequestStart?.(controller, context);
        this.#isSent ||= !controller.aborted;
      },
      onRequestUpgrade: (...given) => handler.onRequestUpgrade?.(...given),
      onResponseStart: (controller, status, headers, text) => {
        this.status = status;
        handler.onResponseStart?.(controller, status, headers, text);
      },
      onResponseData: (...given) => handler.onResponseData?.(...given),
      onResponseEnd: (...given) => {
        this.#isComplete = true;
        handler.onResponseEnd?.(...given);
      },
      onResponseError: (...given) => handler.onResponseError?.(...given),
    };
  }

  async run<T>(request: () => Promise<T>): Promise<T> {
    const signal = this.#signal;
    // Nothing may be sent for a call that was given up before it began.
    signal.throwIfAborted();
    let end = () => {};
    const ended = new Promise<never>((_resolve, reject) => {
      end = () => reject(signal.reason);
    });
    signal.addEventListener('abort', end, { once: true });
    try {
      return await Promise.race([ended, request()]);
    } finally {
      signal.removeEventListener('abort', end);
    }
  }

  noAnswer(): NoAnswer {
    if (!this.#isSent) return { kind: 'not_executed', cause: 'unreachable' };
    if (this.#signal.aborted) return { kind: 'unknown', cause: 'timeout' };
    return { kind: 'unknown', cause: this.#isComplete ? 'unreadable' : 'disconnected' };
  }
}

/** Adds the headers of the active trace. The SDKs give headers by name, or as a list of names and values. */
function inTrace(options: Dispatcher.DispatchOptions): Dispatcher.DispatchOptions {
  const added = Object.entries(traceHeaders());
  const { headers } = options;
  if (added.length === 0) return options;
  if (Array.isArray(headers)) return { ...options, headers: [...headers, ...added.flat()] as string[] };
  return { ...options, headers: { ...(headers as Record<string, string>), ...Object.fromEntries(added) } };
}
