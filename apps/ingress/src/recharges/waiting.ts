import { setTimeout as sleep } from 'node:timers/promises';
import { type Domain, isFinal, type RechargeView } from '@replenish/domain';

// Look-ups of everyone who waits share one statement, so a tenth of a second costs ten statements a second in all.
const LOOK_EVERY_MS = 100;

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
