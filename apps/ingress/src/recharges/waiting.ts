import { setTimeout as sleep } from 'node:timers/promises';
import { type Domain, isFinal, type RechargeView } from '@replenish/domain';
import { type Frame, Gauge } from '@replenish/runtime';
import type { Response } from 'express';
import { callOf } from '../http/call.js';
import type { Overload } from '../protection/overload.js';

// Look-ups of everyone who waits share one statement, so a tenth of a second costs ten statements a second in all.
const LOOK_EVERY_MS = 100;

export type WaitsConfig = Readonly<{
  /** Calls of this process that may wait at once, of all clients and of one. */
  max: number;
  perClientMax: number;
  overload: Pick<Overload, 'rest'>;
  registry: Frame['registry'];
}>;

export interface Waits {
  /**
   * Lets a call of a known client wait. It is no work meanwhile: thousands that wait must not stop the intake.
   * Returns what ends the wait, or null where too many wait already: then the call is answered with what there is.
   */
  begin(response: Response): (() => void) | null;
}

// Each holds a connection for up to 30 s: together a fifth of the connections of one process.
export const waitsMax = { max: 2_000, perClientMax: 500 } as const;

export function openWaits({ max, perClientMax, overload, registry }: WaitsConfig): Waits {
  const byClient = new Map<string, number>();
  let all = 0;
  new Gauge({
    name: 'replenish_requests_waiting',
    help: 'Calls that wait for the outcome of a recharge.',
    registers: [registry],
    collect() {
      this.set(all);
    },
  });
  const add = (clientId: string, change: 1 | -1): void => {
    const count = (byClient.get(clientId) ?? 0) + change;
    if (count === 0) byClient.delete(clientId);
    else byClient.set(clientId, count);
    all += change;
  };
  return {
    begin: (response) => {
      const { clientId } = callOf(response).key!;
      if (all >= max || (byClient.get(clientId) ?? 0) >= perClientMax) return null;
      overload.rest(response);
      add(clientId, 1);
      return () => add(clientId, -1);
    },
  };
}

/** Holds until the recharge is final, the time is up, or nobody listens any more; answers what it is then. */
export async function untilFinal(
  reads: Pick<Domain['reads'], 'recharge'>,
  recharge: RechargeView,
  waitMs: number,
  signal: AbortSignal,
): Promise<RechargeView> {
  // The monotonic clock: a wall clock that is set back would hold the caller for as long.
  const until = performance.now() + waitMs;
  let seen = recharge;
  while (!isFinal(seen.state) && performance.now() < until && !signal.aborted) {
    await sleep(Math.min(LOOK_EVERY_MS, Math.max(0, until - performance.now())));
    seen = (await reads.recharge(recharge.id)) ?? seen;
  }
  return seen;
}

/** `Prefer: wait=N` (RFC 7240), at most 30 seconds. */
export function waitMsFrom(prefer: string | undefined): number {
  const wait = /(?:^|[,;\s])wait\s*=\s*"?(\d{1,6})"?(?:$|[,;\s])/i.exec(prefer ?? '');
  return wait ? Math.min(Number(wait[1]), 30) * 1_000 : 0;
}
