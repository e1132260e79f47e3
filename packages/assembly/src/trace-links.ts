import type { Domain } from '@replenish/domain';
import { isTracing, linkActiveSpan } from '@replenish/runtime/traces';

/**
 * Links the active span to the trace of the request for this recharge, for work that continues the recharge without it:
 * a webhook, a query, a recharge that the sweeper found, a callback. It asks the database only while traces are on, and
 * never fails: a missing link must not hold up money.
 */
export async function linkToRequest(
  reads: Pick<Domain['reads'], 'traceparent'>,
  transactionId: string | null,
): Promise<void> {
  if (!isTracing() || transactionId === null) return;
  linkActiveSpan(await reads.traceparent(transactionId).catch(() => null));
}
