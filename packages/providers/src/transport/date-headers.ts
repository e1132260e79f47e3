import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { IncomingMessage } from 'node:http';

/** The time in the `Date` of an answer, and when the answer was asked for and arrived, all in epoch milliseconds. */
type DatedAnswer = Readonly<{ saidMs: number; askedMs: number; arrivedMs: number }>;

// The header has whole seconds.
const SECOND_MS = 1_000;

/**
 * How far our clock is ahead of the one that wrote the header, as far as the answer proves it. Below zero: behind it.
 * The header was written at some moment between the question and the arrival.
 */
export function skewMsOf({ saidMs, askedMs, arrivedMs }: DatedAnswer): number {
  if (askedMs > saidMs + SECOND_MS) return askedMs - saidMs - SECOND_MS;
  return arrivedMs < saidMs ? arrivedMs - saidMs : 0;
}

type ByUndici = Readonly<{ response: { headers: readonly (Buffer | string)[] } }>;
type ByHttp = Readonly<{ response: IncomingMessage }>;

/**
 * Runs reads one after the other, and returns how far our clock is ahead of the provider's by the `Date` of its last
 * answer. Null: no answer had one. The SDKs hide the header, so it is taken from the connections of the process: no
 * other request may be under way.
 */
export async function withProvidersClock<T>(
  run: () => Promise<T>,
  now: () => number = Date.now,
): Promise<Readonly<{ value: T; skewMs: number | null }>> {
  let askedMs = now();
  let skewMs: number | null = null;
  const hear = (date: string | undefined) => {
    const saidMs = Date.parse(date ?? '');
    if (!Number.isNaN(saidMs)) skewMs = skewMsOf({ saidMs, askedMs, arrivedMs: now() });
    askedMs = now();
  };
  const undici = (message: unknown) => {
    const raw = (message as ByUndici).response.headers.map(String);
    hear(raw[raw.findIndex((name, at) => at % 2 === 0 && name.toLowerCase() === 'date') + 1]);
  };
  const http = (message: unknown) => hear((message as ByHttp).response.headers.date);
  subscribe('undici:request:headers', undici);
  subscribe('http.client.response.finish', http);
  try {
    return { value: await run(), skewMs };
  } finally {
    unsubscribe('undici:request:headers', undici);
    unsubscribe('http.client.response.finish', http);
  }
}
