import { setTimeout as delay } from 'node:timers/promises';
import { StoreUnavailable } from '@replenish/domain';
import { type Frame, Gauge, type Logger } from '@replenish/runtime';
import type { Swept } from './sweeper.js';

export type SweepingDeps = Readonly<{
  sweep: () => Promise<Swept>;
  /** Time between the end of one sweep and the start of the next. */
  everyMs: number;
  log: Logger;
  registry: Frame['registry'];
  /** If the last sweep is older than this, `check` fails. Default: 30 s or four periods, whichever is longer. */
  lateAfterMs?: number;
}>;

export interface Sweeping {
  /** Starts the next sweep now instead of at the end of the period. */
  hurry(): void;
  /** @throws when the last successful sweep is too old, so that lost work is no longer found */
  check(): void;
  close(): Promise<void>;
}

// The time in which workers empty a full queue.
const REFILL_AFTER_MS = 250;
const LATE_AFTER_MS = 30_000;
const LATE_AFTER_PERIODS = 4;

/**
 * Sweeps until it is closed. A timer starts the sweeps, not a job, because the sweeper must work when the queues do
 * not. Node's timers use the monotonic clock, so setting the clock does not stop the sweeps. Several processes may
 * sweep at the same time.
 */
export function startSweeping({ sweep, everyMs, log, registry, ...rest }: SweepingDeps): Sweeping {
  const lateAfterMs = rest.lateAfterMs ?? Math.max(LATE_AFTER_MS, LATE_AFTER_PERIODS * everyMs);
  const ending = new AbortController();
  let sweptAtMs = performance.now();
  let wake = new AbortController();

  async function sweepOnce(): Promise<number> {
    try {
      const { isMore } = await sweep();
      sweptAtMs = performance.now();
      return isMore ? Math.min(everyMs, REFILL_AFTER_MS) : everyMs;
    } catch (error) {
      const level = error instanceof StoreUnavailable ? 'warn' : 'error';
      log[level]({ err: error }, 'this sweep failed; the next one follows');
      return everyMs;
    }
  }

  async function loop(): Promise<void> {
    while (!ending.signal.aborted) {
      wake = new AbortController();
      const waitMs = await sweepOnce();
      const signal = AbortSignal.any([wake.signal, ending.signal]);
      await delay(waitMs, undefined, { signal, ref: false }).catch(() => {});
    }
  }

  const ageMs = () => performance.now() - sweptAtMs;
  showAge(registry, ageMs);
  const running = loop();
  return {
    hurry: () => wake.abort(),
    check: () => {
      if (ageMs() > lateAfterMs)
        throw new Error(
          `the last sweep ended ${Math.round(ageMs() / 1_000)} s ago: nothing lost is found again`,
        );
    },
    close: async () => {
      ending.abort();
      await running;
    },
  };
}

function showAge(registry: Frame['registry'], ageMs: () => number): void {
  new Gauge({
    name: 'replenish_last_sweep_seconds',
    help: 'Age of the last sweep that ended well.',
    registers: [registry],
    collect() {
      this.set(ageMs() / 1_000);
    },
  });
}
