import type { Domain } from '@replenish/domain';
import { activeSpan } from '@replenish/runtime/traces';

/**
 * Links the active span to the trace of the request for this recharge, for work that continues the recharge without it:
 * a webhook, a query, a recharge that the sweeper found, a callback. It asks the database only for a span that is sent,
 * and never fails: a missing link must not hold up money.
 */
export async function linkToRequest(
  reads: Pick<Domain['reads'], 'traceparent'>,
  transactionId: string | null,
): Promise<void> {
  const span = activeSpan();
  if (!span?.isRecorded || transactionId === null) return;
  span.link(await reads.traceparent(transactionId).catch(() => null));
}
