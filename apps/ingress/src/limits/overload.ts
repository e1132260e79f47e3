import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Counter, type Frame, Gauge } from '@replenish/runtime';
import type { Response } from 'express';
import { Problem } from '../http/answers/problem.js';
import { atEnd, type CallEnd, callOf, type Observer } from '../http/call.js';

export type OverloadConfig = Readonly<{
  /**
   * Limit for the mean delay of the event loop. It counts as exceeded when both of the last two measurements exceed
   * it.
   */
  delayMaxMs: number;
  /** POSTs with complete bodies that this process may work on at the same time. */
  inFlightMax: number;
  registry: Frame['registry'];
}>;

export interface Overload {
  /** Refuses a POST before its body is read. */
  readonly see: Observer;
  /** Counts a POST whose body is complete or absent. @throws Problem to refuse it */
  enter(response: Response): void;
  /** Ends the count of a call as work, because the call only waits from now on. */
  rest(response: Response): void;
  close(): void;
}

// Two measurements take a second, so a flood is noticed before its requests time out.
const LOOK_EVERY_MS = 500;
// Node's monitor reports the whole time between two ticks, so its resolution has to be subtracted.
const RESOLUTION_MS = 10;
// Webhooks report payments that have already happened, so they may use twice the limits.
const WEBHOOK_TIMES = 2;
const RETRY_AFTER_SECONDS = 1;

/**
 * Refuses new POSTs while the process has too much work, so that accepted ones are answered in time. A producer repeats
 * the request with its idempotency key and loses nothing. Reads and health checks are still answered, because they cost
 * little and people need them during an overload.
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
    // Without a tick since the last measurement there is no mean.
    const meanMs = histogram.count === 0 ? 0 : Math.max(0, histogram.mean / 1e6 - RESOLUTION_MS);
    // The smaller of two measurements counts, because one long turn of the loop, as at the start, is no overload.
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
