import { EventEmitter } from 'node:events';
import CircuitBreaker from 'opossum';

export type BreakerState = 'closed' | 'open' | 'half_open';

export type BreakerLimits = Readonly<{
  /** The breaker opens when more than this share of the calls in the window were outages. */
  outagePercentage: number;
  /** The breaker opens only if the window has at least this many calls. */
  callsMin: number;
  windowMs: number;
  /** How long the breaker stays open before it admits one call as a probe. */
  resetMs: number;
}>;

export interface Breaker {
  /** The earliest time of the next try. Null: a call may start now. */
  isOpen(): { retryAtMs: number } | null;
  /** Admits one call, or returns null to refuse it. The result of an admitted call must be reported exactly once. */
  enter(): { report(isOutage: boolean): Promise<void> } | null;
  close(): void;
}

const BUCKETS = 10;
// The shortest wait that `isOpen` returns. Without it, a worker that asks just before the half-open timer fires would
// retry in a busy loop.
const WAIT_MIN_MS = 100;

/**
 * The breaker uses opossum only to count results and to change between closed, open and half-open. This code decides
 * which calls are admitted.
 *
 * opossum does not run the calls. Each result is reported to it afterwards. Three of its properties would do harm if it
 * ran them:
 * - Its shared abort controller ends the calls of other callers.
 * - A call that began before the breaker opened, and ends while it is half-open, is taken for the probe.
 * - A call is counted in the window in which it began, but its failure is counted in a later window. So calls that are
 *   slower than the window never open the breaker.
 */
export function openBreaker(
  limits: BreakerLimits,
  now: () => Date,
  onState: (state: BreakerState) => void,
): Breaker {
  const { circuit, clearWindow, shutdown } = openCircuit(limits);
  let openings = 0;
  let waitingSinceMs = 0;
  let isProbing = false;

  circuit.on('open', () => {
    openings++;
    waitingSinceMs = now().getTime();
    onState('open');
  });
  circuit.on('halfOpen', () => onState('half_open'));
  circuit.on('close', () => {
    // The window must be empty now. With the failures of the past outage in it, the next failure would open the
    // breaker.
    clearWindow();
    onState('closed');
  });

  function isOpen() {
    if (!circuit.opened && !isProbing) return null;
    const nowMs = now().getTime();
    return { retryAtMs: Math.max(waitingSinceMs + limits.resetMs, nowMs + WAIT_MIN_MS) };
  }

  function enter() {
    if (isOpen()) return null;
    const enteredAfter = openings;
    const isProbe = circuit.halfOpen;
    if (isProbe) {
      isProbing = true;
      waitingSinceMs = now().getTime();
    }
    async function report(isOutage: boolean) {
      // The result of a call that began before the last opening is ignored, because it is no longer current.
      try {
        if (enteredAfter === openings) await circuit.fire(isOutage).catch(ignoreCounted);
      } finally {
        if (isProbe) isProbing = false;
      }
    }
    return { report };
  }

  return { isOpen, enter, close: shutdown };
}

class OpenBreaker extends Error {}

function openCircuit(limits: BreakerLimits) {
  const count = async (isOutage: boolean): Promise<void> => {
    if (isOutage) throw new OpenBreaker();
  };
  // The buckets are rotated here because opossum cannot empty its window.
  const buckets = new EventEmitter();
  const rotation = setInterval(() => buckets.emit('rotate'), limits.windowMs / BUCKETS).unref();
  const circuit = new CircuitBreaker(count, {
    timeout: false,
    errorThresholdPercentage: limits.outagePercentage,
    volumeThreshold: limits.callsMin,
    rollingCountBuckets: BUCKETS,
    rotateBucketController: buckets,
    resetTimeout: limits.resetMs,
    rollingPercentilesEnabled: false,
    enableSnapshots: false,
  });
  function clearWindow() {
    for (let bucket = 0; bucket < BUCKETS; bucket++) buckets.emit('rotate');
  }
  function shutdown() {
    clearInterval(rotation);
    circuit.shutdown();
  }
  return { circuit, clearWindow, shutdown };
}

/** opossum throws each counted outage again, and an error of its own after shutdown. Both are ignored. */
function ignoreCounted(error: unknown): void {
  const isOwn = error instanceof Error && CircuitBreaker.isOurError(error);
  if (!(error instanceof OpenBreaker) && !isOwn) throw error;
}
