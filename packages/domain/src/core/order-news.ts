import type { Report } from './decision.js';
import type { News } from './recharge.js';
import type { ReportedOrder } from './same-order.js';

/** An order as its provider describes it, in an answer or an event. What is null or missing is not said. */
export type ReportedFacts = Readonly<{
  status: keyof typeof newsOf;
  providerOrderId: string | null;
  /** Our transaction id, as the provider repeats it. */
  reference?: string | null | undefined;
  accountId?: string | null | undefined;
  amountMinor?: bigint | undefined;
  currency?: string | undefined;
  code?: string | undefined;
  message?: string | undefined;
  /** The provider says more of this order's money than was read. */
  isPartlyRead?: boolean | undefined;
}>;

const newsOf = {
  pending: 'accepted',
  settled: 'settled',
  declined: 'declined',
  canceled: 'canceled',
} as const satisfies Record<string, News>;

type OrderReport = ReportedOrder & Pick<Report, 'news' | 'failure' | 'doubt'>;

/** What the facts of an order are news of, with all that is compared with ours, and a failure where there is one. */
export function newsOfOrder(order: ReportedFacts): OrderReport {
  const { status, providerOrderId, reference = null, accountId = null, amountMinor, currency } = order;
  const said = {
    news: newsOf[status],
    providerOrderId,
    reference,
    accountId,
    ...(amountMinor !== undefined && currency !== undefined && { money: { amountMinor, currency } }),
    ...(order.isPartlyRead && { doubt: 'unread_event' as const }),
  };
  if (status !== 'declined') return said;
  const message = [order.code ?? 'declined', order.message].filter(Boolean).join(': ');
  return { ...said, failure: { code: 'PAYMENT_FAILED', message } };
}
