import { setTimeout as sleep } from 'node:timers/promises';
import { isWholeFinal } from '@replenish/assembly';
import type { Domain, RechargeView } from '@replenish/domain';

// All waiting calls share one look-up statement, so this interval costs ten statements per second in all.
const LOOK_EVERY_MS = 100;

/** Waits until the whole recharge is final, the time is up or the signal aborts. Returns the recharge as it is then. */
export async function untilFinal(
  reads: Pick<Domain['reads'], 'recharge'>,
  recharge: RechargeView,
  waitMs: number,
  signal: AbortSignal,
): Promise<RechargeView> {
  // The clock is monotonic, because the wait must not grow if the wall clock is set back.
  const until = performance.now() + waitMs;
  let seen = recharge;
  while (!isWholeFinal(seen) && performance.now() < until && !signal.aborted) {
    await sleep(Math.min(LOOK_EVERY_MS, Math.max(0, until - performance.now())));
    seen = (await reads.recharge(recharge.id)) ?? seen;
  }
  return seen;
}

/** The milliseconds of `Prefer: wait=N` (RFC 7240), at most 30 seconds. 0 without the header. */
export function waitMsFrom(prefer: string | undefined): number {
  const wait = /(?:^|[,;\s])wait\s*=\s*"?(\d{1,6})"?(?:$|[,;\s])/i.exec(prefer ?? '');
  return wait ? Math.min(Number(wait[1]), 30) * 1_000 : 0;
}
