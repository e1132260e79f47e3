import { setTimeout as delay } from 'node:timers/promises';
import { type Domain, StoreUnavailable } from '@replenish/domain';
import { type Queues, queueOf } from '@replenish/queues';
import type { Logger } from '@replenish/runtime';

export type PumpDeps = Readonly<{
  domain: Pick<Domain, 'lanes' | 'takeDue' | 'putBack'>;
  queues: Pick<Queues, 'hint' | 'room'>;
  log: Logger;
}>;

export interface Pump {
  /** @throws if no look has succeeded for some time */
  check(): void;
  close(): Promise<void>;
}

// An event or a notice is staged inside the database, so no process can hint it at once. A look costs a millisecond when nothing is
// due.
const LOOK_EVERY_MS = 200;
const LANES_MAX = 500;
const LATE_AFTER_MS = 30_000;

/**
 * Turns receivers with due events, and channels with due notices, into jobs. The sweeper of the reconciliation worker does the same, but in production it
 * looks every fifteen seconds only.
 */
export function startPump({ domain, queues, log }: PumpDeps): Pump {
  const lanes = domain.lanes([]).filter(({ what }) => what === 'callback' || what === 'notice');
  const ending = new AbortController();
  let lookedAtMs = performance.now();

  async function look(): Promise<void> {
    for (const lane of lanes) {
      const due = await domain.takeDue(LANES_MAX, lane);
      const isHinted = await queues.hint(
        queueOf(lane),
        due.map(({ id }) => id),
      );
      if (!isHinted) await domain.putBack(due);
    }
    lookedAtMs = performance.now();
  }

  async function loop(): Promise<void> {
    while (!ending.signal.aborted) {
      await look().catch((error: unknown) => {
        const level = error instanceof StoreUnavailable ? 'warn' : 'error';
        log[level]({ err: error }, 'this look for due callbacks failed; the next one follows');
      });
      await delay(LOOK_EVERY_MS, undefined, { signal: ending.signal, ref: false }).catch(() => {});
    }
  }

  // Opening a queue takes seconds on a busy machine. The first event should not wait for it.
  void queues.room(lanes.map(queueOf)).catch(() => {});
  const running = loop();
  return {
    check: () => {
      if (performance.now() - lookedAtMs > LATE_AFTER_MS) throw new Error('nothing due is found');
    },
    close: async () => {
      ending.abort();
      await running;
    },
  };
}
