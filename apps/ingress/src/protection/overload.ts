import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Counter, type Frame, Gauge } from '@replenish/runtime';
import type { Response } from 'express';
import { atEnd, type CallEnd, callOf, type Observer } from '../http/call.js';
import { Problem } from '../http/problem.js';

export type OverloadConfig = Readonly<{
  /** Mean delay of the event loop, in both of the last two looks. */
  delayMaxMs: number;
  /** POSTs that this process works on: their bodies are whole. */
  inFlightMax: number;
  registry: Frame['registry'];
}>;

export interface Overload {
  /** Turns a POST away before anything is read of it. */
  readonly see: Observer;
  /** Counts a POST from here on: its body is whole, or it has none. @throws Problem to turn it away after all */
  enter(response: Response): void;
  /** The call only waits for others from here on, and is work no longer. */
  rest(response: Response): void;
  close(): void;
}

// Two looks, a second in all: a flood is noticed before its requests have timed out.
const LOOK_EVERY_MS = 500;
// The monitor reports the time between its own ticks, not the delay beyond them.
const RESOLUTION_MS = 10;
// What a webhook brings was paid for already: its provider is let in longest.
const WEBHOOK_TIMES = 2;
const RETRY_AFTER_SECONDS = 1;

/**
 * Turns new work away before it costs anything, so that what was let in is answered in time. A producer repeats the
 * request with its key and loses nothing. Reads and health checks go on: they are cheap, and people need them now.
 */
export function openOverload(config: OverloadConfig): Overload {
  const loop = watchLoop();
  let inFlight = 0;
  const refused = openMetrics(config.registry, () => inFlight);
  const rest = (response: Response): void => {
    const call = callOf(response);
    if (call.isWork) inFlight--;
    call.isWork = false;
  };
  const leave: CallEnd = (_request, response) => rest(response);
  const refuseBeyond = (isBeyond: boolean): void => {
    if (!isBeyond) return;
    refused.inc();
    throw tooBusy();
  };
  const isFull = (path: string): boolean => inFlight >= config.inFlightMax * timesFor(path);
  return {
    see: ({ method, path }) => {
      if (method !== 'POST') return;
      refuseBeyond(isFull(path) || loop.delayMs() > config.delayMaxMs * timesFor(path));
    },
    enter: (response) => {
      refuseBeyond(isFull(response.req.path));
      inFlight++;
      callOf(response).isWork = true;
      atEnd(response, leave);
    },
    rest,
    close: loop.close,
  };
}

const timesFor = (path: string): number => (path.startsWith('/webhooks/') ? WEBHOOK_TIMES : 1);

function openMetrics(registry: Frame['registry'], inFlight: () => number): Counter {
  new Gauge({
    name: 'replenish_requests_in_flight',
    help: 'POSTs under way whose bodies are whole.',
    registers: [registry],
    collect() {
      this.set(inFlight());
    },
  });
  return new Counter({
    name: 'replenish_overload_refusals_total',
    help: 'POSTs answered 503 before any work, because the process had too much of it.',
    registers: [registry],
  });
}

const tooBusy = (): Problem =>
  new Problem(
    'INTERNAL_ERROR',
    'the service is overloaded; repeat the request with the same idempotency key',
    {
      status: 503,
      headers: { 'retry-after': String(RETRY_AFTER_SECONDS) },
    },
  );

function watchLoop(): { delayMs: () => number; close: () => void } {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  let lastMs = 0;
  let delayMs = 0;
  const timer = setInterval(() => {
    // Without a tick since the last look there is no mean.
    const meanMs = histogram.count === 0 ? 0 : Math.max(0, histogram.mean / 1e6 - RESOLUTION_MS);
    // The better of two looks: one long turn, as at the start, is a hiccup and no load.
    delayMs = Math.min(lastMs, meanMs);
    lastMs = meanMs;
    histogram.reset();
  }, LOOK_EVERY_MS).unref();
  return {
    delayMs: () => delayMs,
    close: () => {
      clearInterval(timer);
      histogram.disable();
    },
  };
}
