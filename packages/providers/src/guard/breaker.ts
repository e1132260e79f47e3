import { EventEmitter } from 'node:events';
import CircuitBreaker from 'opossum';

export type BreakerState = 'closed' | 'open' | 'half_open';

export type BreakerLimits = Readonly<{
  /** Opens when more than this share of the calls in the window were outages. */
  outagePercentage: number;
  /** ... and there were at least so many calls in it. */
  callsMin: number;
  windowMs: number;
  /** How long it stays open before one call may try. */
  resetMs: number;
}>;

export interface Breaker {
  /** Null: a call may go now. */
  isOpen(): { retryAtMs: number } | null;
  /** Admission of one call; null when none is granted. The result must be reported exactly once. */
  enter(): { report(isOutage: boolean): Promise<void> } | null;
  close(): void;
}

const BUCKETS = 10;
// A worker that looks just before the half-open timer fires must come back later, not spin.
const WAIT_MIN_MS = 100;

/**
 * opossum counts results, opens and half-opens; admission is decided here.
 *
 * It is told each result after the fact instead of running the call. Three of its ways would cost money or hours:
 * its shared abort controller ends other people's calls; a call that began before the breaker opened and ends in
 * half-open decides as if it were the probe; and a call counts in the window it began in but fails in a later one,
 * so that calls slower than the window never open it.
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
    // The outage just survived would open it again at the first failure for a whole window.
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
      // Results from before the last opening are old news: they neither close nor open it.
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
  // Own rotation of the buckets: opossum's has no way to empty the window.
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

/** opossum hands the outage back once it is counted. A circuit that was shut down counts no more. */
function ignoreCounted(error: unknown): void {
  const isOwn = error instanceof Error && CircuitBreaker.isOurError(error);
  if (!(error instanceof OpenBreaker) && !isOwn) throw error;
}
