import { createRequire } from 'node:module';
import type { Stripe } from 'stripe';
import { fetch, Response } from 'undici';
import { LocalValue } from '../transport/local-value.js';
import { openSdkTransport, type SdkCall } from '../transport/sdk-call.js';

const load = createRequire(import.meta.url);
type StripeClass = typeof Stripe;

/** Loads the SDK at its first use. It costs megabytes, and most processes never call Stripe. */
export const loadStripe = (): StripeClass => {
  const loaded = load('stripe') as StripeClass & { default?: StripeClass };
  return loaded.default ?? loaded;
};

/** The result of one request: the answer of the SDK, or its error. `call` knows what went over the wire. */
export type StripeAnswer<T> =
  | Readonly<{ call: SdkCall; value: T }>
  | Readonly<{ call: SdkCall; error: unknown }>;

export interface StripeClient {
  /** Makes one request, without retries and redirects. Never throws. */
  ask<T>(request: (stripe: Stripe) => Promise<T>, signal: AbortSignal): Promise<StripeAnswer<T>>;
  close(): Promise<void>;
}

export function openStripe(baseUrl: string, secretKey: string): StripeClient {
  const transport = openSdkTransport(baseUrl);
  const current = new LocalValue<SdkCall>();
  let stripe: Stripe | undefined;
  return {
    async ask(request, signal) {
      stripe ??= clientOf(baseUrl, secretKey, current);
      const call = transport.begin(signal);
      const opened = stripe;
      try {
        return { call, value: await call.run(() => current.run(call, () => request(opened))) };
      } catch (error) {
        return { call, error };
      }
    },
    close: () => transport.close(),
  };
}

/**
 * An answer that the SDK can read or refuse. JSON that is a text, a number or a truth value makes it throw where nothing
 * catches, which ends the process. Such an answer becomes an empty one.
 */
async function readable(response: Response): Promise<Response> {
  const text = await response.text();
  const body = /^\s*[[{]/.test(text) ? text : null;
  return new Response(body, { status: response.status, headers: response.headers });
}

// The guard's limit is shorter. This one only ends requests whose answer nobody awaits any more.
const TIMEOUT_MS = 80_000;

function clientOf(baseUrl: string, secretKey: string, current: LocalValue<SdkCall>): Stripe {
  const StripeSdk = loadStripe();
  const { hostname, port, protocol } = new URL(baseUrl);
  // The default client repeats a request once after ECONNRESET, even with maxNetworkRetries 0. The client over fetch
  // never sees that code. It also lets each request use its own watched connections.
  const send = async (url: string, init: RequestInit) => {
    const call = current.get();
    if (!call) throw new Error('the SDK sent a request that belongs to no call');
    const request = { ...init, redirect: 'manual', dispatcher: call.dispatcher } as Parameters<
      typeof fetch
    >[1];
    return readable(await fetch(url, request));
  };
  return new StripeSdk(secretKey, {
    host: hostname,
    port: port === '' ? (protocol === 'http:' ? 80 : 443) : Number(port),
    protocol: protocol === 'http:' ? 'http' : 'https',
    maxNetworkRetries: 0,
    timeout: TIMEOUT_MS,
    telemetry: false,
    httpClient: StripeSdk.createFetchHttpClient(send as unknown as typeof globalThis.fetch),
  });
}
