import type { Report } from './decision.js';
import type { News } from './recharge.js';

/** An order as its provider describes it, in an answer or an event. */
export type OrderFacts = Readonly<{
  status: keyof typeof newsOf;
  providerOrderId: string | null;
  amountMinor: bigint;
  currency: string;
  code?: string;
  message?: string;
}>;

const newsOf = {
  pending: 'accepted',
  settled: 'settled',
  declined: 'declined',
  canceled: 'cancel',
} as const satisfies Record<string, News>;

/** What the facts of an order are news of. Money counts where it has moved, a failure where there is one. */
export function newsOfOrder(
  order: OrderFacts,
): Pick<Report, 'news' | 'providerOrderId' | 'money' | 'failure'> {
  const { status, providerOrderId, amountMinor, currency } = order;
  const said = { news: newsOf[status], providerOrderId };
  if (status === 'settled') return { ...said, money: { amountMinor, currency } };
  if (status !== 'declined') return said;
  const message = [order.code ?? 'declined', order.message].filter(Boolean).join(': ');
  return { ...said, failure: { code: 'PAYMENT_FAILED', message } };
}
