import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Counter, type Frame, Gauge } from '@replenish/runtime';
import { atEnd, type Onlooker } from './call.js';
import { Problem } from './problem.js';

export type OverloadConfig = Readonly<{
  /** Mean delay of the event loop, in both of the last two looks. */
  delayMaxMs: number;
  /** POSTs under way in this process. */
  inFlightMax: number;
  registry: Frame['registry'];
}>;

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
export function openOverload(config: OverloadConfig): { see: Onlooker; close: () => void } {
  const loop = watchLoop();
  let inFlight = 0;
  const refused = new Counter({
    name: 'replenish_overload_refusals_total',
    help: 'POSTs answered 503 before any work, because the process had too much of it.',
    registers: [config.registry],
  });
  new Gauge({
    name: 'replenish_requests_in_flight',
    help: 'POSTs under way.',
    registers: [config.registry],
    collect() {
      this.set(inFlight);
    },
  });
  const leave = (): void => {
    inFlight--;
  };
  const see: Onlooker = (request, response) => {
    if (request.method !== 'POST') return;
    const times = request.path.startsWith('/webhooks/') ? WEBHOOK_TIMES : 1;
    if (inFlight >= config.inFlightMax * times || loop.delayMs() > config.delayMaxMs * times) {
      refused.inc();
      throw tooBusy();
    }
    inFlight++;
    atEnd(response, leave);
  };
  return { see, close: loop.close };
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
