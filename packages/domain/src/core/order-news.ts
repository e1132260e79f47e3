import type { Report } from './decision.js';
import type { PayersAction } from './payers-action.js';
import type { News } from './recharge.js';
import type { ReportedOrder } from './same-order.js';

/** An order as its provider describes it in an answer or an event. Null or missing: the provider does not say. */
export type ReportedFacts = Readonly<{
  status: keyof typeof newsOf;
  providerOrderId: string | null;
  /** Our transaction id, which the provider repeats. */
  reference?: string | null | undefined;
  accountId?: string | null | undefined;
  amountMinor?: bigint | undefined;
  currency?: string | undefined;
  code?: string | undefined;
  message?: string | undefined;
  /** The message has facts about the order's money that this release did not read. */
  isPartlyRead?: boolean | undefined;
  /** A second number of the order, which the provider's statements show. */
  externalReference?: string | undefined;
  /** When the provider says that this happened. */
  saidAt?: Date | undefined;
  /** Set while somebody has to pay. */
  action?: PayersAction | undefined;
}>;

const newsOf = {
  pending: 'accepted',
  settled: 'settled',
  declined: 'declined',
  canceled: 'canceled',
} as const satisfies Record<string, News>;

type OrderReport = ReportedOrder &
  Pick<Report, 'news' | 'saidAt' | 'failure' | 'doubt' | 'externalReference' | 'action' | 'payableUntil'>;

/** Turns the facts of an order into news, with the facts to compare with our order, and the reason of a failure. */
export function newsOfOrder(order: ReportedFacts): OrderReport {
  const { status, providerOrderId, reference = null, accountId = null, amountMinor, currency } = order;
  const said = {
    news: newsOf[status],
    providerOrderId,
    reference,
    accountId,
    ...(amountMinor !== undefined && currency !== undefined && { money: { amountMinor, currency } }),
    ...(order.saidAt && { saidAt: order.saidAt }),
    ...(order.externalReference !== undefined && { externalReference: order.externalReference }),
    ...(order.action && { action: order.action, payableUntil: order.action.expiresAt }),
    ...(order.isPartlyRead && { doubt: 'unread_event' as const }),
  };
  if (status !== 'declined') return said;
  const message = [order.code ?? 'declined', order.message].filter(Boolean).join(': ');
  return { ...said, failure: { code: 'PAYMENT_FAILED', message } };
}
