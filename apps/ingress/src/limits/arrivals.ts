import { Counter, type Frame, Gauge } from '@replenish/runtime';
import type { Response } from 'express';
import { Problem } from '../http/answers/problem.js';
import { atEnd, type CallEnd, callOf } from '../http/call.js';
import { originOf } from '../http/origin.js';
import type { Arrivals } from '../http/read-body.js';

export type ArrivalsConfig = Readonly<{
  /** The number of bodies that may be arriving at the same time, from all callers together. */
  max: number;
  /** The number of bodies that may be arriving from one address. IPv6 addresses count by their network of 64 bits. */
  perOriginMax: number;
  registry: Frame['registry'];
}>;

type Arrival = {
  readonly response: Response;
  readonly origin: string;
  readonly startedAtMs: number;
  readonly refuse: (problem: Problem) => void;
  bytes: number;
};

const LOOK_EVERY_MS = 500;
// A small body arrives within a moment. A longer body gets more time for the bytes that have arrived. Its announced
// length does not count, because an attacker can announce any length.
const TIME_MS = 5_000;
const BYTES_PER_MS = 20;
const TIME_MAX_MS = 15_000;
// The most bytes of all arriving bodies together. Without this limit, bodies of full length could take a gigabyte.
const BYTES_MAX = 128 * 1_024 * 1_024;

/**
 * Limits the bodies that are arriving, before their callers are known. When there are too many, the oldest is refused.
 * An honest body is complete within milliseconds, so the oldest one is most likely not honest.
 */
export function openArrivals({
  max,
  perOriginMax,
  registry,
}: ArrivalsConfig): Arrivals & Readonly<{ close: () => void }> {
  const held = openList();
  const refused = openMetrics(registry, () => held.all.size);
  const refuse = (arrival: Arrival, why: Why): void => {
    held.remove(arrival.response);
    refused.inc({ reason: why });
    arrival.refuse(problems[why]());
  };
  const refuseOldest = (arrivals: Iterable<Arrival>): void => {
    const [oldest] = arrivals;
    if (oldest) refuse(oldest, 'too_many');
  };
  const timer = setInterval(() => {
    const now = performance.now();
    for (const arrival of held.all.values())
      if (now - arrival.startedAtMs > timeFor(arrival.bytes)) refuse(arrival, 'too_slow');
  }, LOOK_EVERY_MS).unref();
  const endWithCall: CallEnd = (_request, response) => held.remove(response);
  return {
    begin: (response, tell) => {
      const origin = originOf(callOf(response).ip);
      const ofOrigin = held.add({
        response,
        origin,
        startedAtMs: performance.now(),
        refuse: tell,
        bytes: 0,
      });
      atEnd(response, endWithCall);
      if (ofOrigin.size > perOriginMax) refuseOldest(ofOrigin);
      if (held.all.size > max) refuseOldest(held.all.values());
    },
    grow: (response, bytes) => {
      held.grow(response, bytes);
      while (held.bytes() > BYTES_MAX) refuseOldest(held.all.values());
    },
    end: held.remove,
    close: () => clearInterval(timer),
  };
}

/** The arriving bodies, per call and per origin, oldest first, and the number of bytes that they hold. */
function openList() {
  const all = new Map<Response, Arrival>();
  const byOrigin = new Map<string, Set<Arrival>>();
  let bytesHeld = 0;
  return {
    all,
    bytes: () => bytesHeld,
    add: (arrival: Arrival): ReadonlySet<Arrival> => {
      const ofOrigin = byOrigin.get(arrival.origin) ?? new Set();
      byOrigin.set(arrival.origin, ofOrigin.add(arrival));
      all.set(arrival.response, arrival);
      return ofOrigin;
    },
    grow: (response: Response, bytes: number): void => {
      const arrival = all.get(response);
      if (!arrival) return;
      arrival.bytes += bytes;
      bytesHeld += bytes;
    },
    remove: (response: Response): void => {
      const arrival = all.get(response);
      if (!arrival) return;
      all.delete(response);
      bytesHeld -= arrival.bytes;
      const ofOrigin = byOrigin.get(arrival.origin)!;
      ofOrigin.delete(arrival);
      if (ofOrigin.size === 0) byOrigin.delete(arrival.origin);
    },
  };
}

const timeFor = (bytes: number): number => Math.min(TIME_MAX_MS, TIME_MS + bytes / BYTES_PER_MS);

type Why = 'too_many' | 'too_slow';

// The rest of the body may still come and would not be read, so the connection has to end.
const problems: Readonly<Record<Why, () => Problem>> = {
  too_many: () =>
    new Problem(
      'INTERNAL_ERROR',
      'too many bodies are still arriving; repeat the request with the same key',
      {
        status: 503,
        headers: { 'retry-after': '1', connection: 'close' },
      },
    ),
  too_slow: () =>
    new Problem('INVALID_ARGUMENT', 'the request did not arrive in time', {
      status: 408,
      headers: { connection: 'close' },
    }),
};

function openMetrics(registry: Frame['registry'], arriving: () => number): Counter<'reason'> {
  new Gauge({
    name: 'replenish_bodies_arriving',
    help: 'Bodies of requests that are not whole yet.',
    registers: [registry],
    collect() {
      this.set(arriving());
    },
  });
  return new Counter({
    name: 'replenish_bodies_refused_total',
    help: 'Bodies that were not waited for any longer, because there were too many of them or they were too slow.',
    labelNames: ['reason'],
    registers: [registry],
  });
}
