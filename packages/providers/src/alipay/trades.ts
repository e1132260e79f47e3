import type { CancelOutcome } from '../contract/collect.js';
import type { OrderFacts, OrderStatus, QueryOutcome, SoughtOrder } from '../contract/order.js';
import { fromYuan } from './amounts.js';
import { numberOf } from './numbers.js';

/** A trade in our terms. */
export type ReadTrade = Readonly<{ status: OrderStatus; facts: OrderFacts; code?: string }>;

const statuses: Readonly<Record<string, OrderStatus>> = {
  WAIT_BUYER_PAY: 'pending',
  TRADE_SUCCESS: 'settled',
  TRADE_FINISHED: 'settled',
  TRADE_CLOSED: 'canceled',
};

/** Reads the answer to a query. Null when it is about another trade, or a field about money cannot be read. */
export function readTrade(given: unknown, { reference }: Pick<SoughtOrder, 'reference'>): ReadTrade | null {
  const trade = (given ?? {}) as Record<string, unknown>;
  const name = String(trade.trade_status ?? '');
  const amountMinor = fromYuan(trade.total_amount);
  if (trade.out_trade_no !== numberOf(reference) || amountMinor === null || !Object.hasOwn(statuses, name))
    return null;
  // Alipay says TRADE_CLOSED for a trade that nobody paid, and for one that was refunded completely.
  const isRefunded = name === 'TRADE_CLOSED' && wasPaid(trade);
  return {
    status: isRefunded ? 'settled' : statuses[name]!,
    facts: {
      providerOrderId: numberOf(reference),
      ...{ accountId: null, amountMinor, currency: 'CNY' },
      ...(typeof trade.trade_no === 'string' ? { externalReference: trade.trade_no.slice(0, 255) } : {}),
      ...(isRefunded ? { isPartlyRead: true } : {}),
    },
    ...(name === 'TRADE_CLOSED' ? { code: name } : {}),
  };
}

/** Whether the fields of a closed trade say that it was paid before. */
export const wasPaid = (trade: Readonly<Record<string, unknown>>): boolean =>
  ['gmt_refund', 'refund_fee', 'gmt_payment', 'send_pay_date'].some(
    (name) => typeof trade[name] === 'string' && trade[name] !== '' && Number(trade[name]) !== 0,
  );

export function foundOutcomeOf(trade: ReadTrade | null): QueryOutcome {
  if (!trade) return { kind: 'unknown', cause: 'unreadable' };
  return {
    kind: 'found',
    status: trade.status,
    ...trade.facts,
    ...(trade.code === undefined ? {} : { code: trade.code }),
  };
}

export function cancelOutcomeOf(trade: ReadTrade | null): CancelOutcome {
  if (!trade) return { kind: 'unknown', cause: 'unreadable' };
  if (trade.status === 'settled') return { kind: 'settled', ...trade.facts };
  return trade.status === 'pending' ? { kind: 'pending' } : { kind: 'canceled' };
}

// The clocks of both sides may differ by a minute, and a payment may end a moment after the code.
const MARGIN_MS = 5 * 60_000;

/**
 * The meaning of TRADE_NOT_EXIST. The trade exists only after the payer scanned the code. So for an order that Alipay
 * accepted it means "not yet", and after the code's time "never". Only for an order that was never accepted it means that
 * Alipay does not have it; sending the same number again is then harmless.
 */
export function outcomeOfNotExist(order: SoughtOrder, now: Date): QueryOutcome {
  if (!order.providerOrderId) return { kind: 'absent' };
  const { amountMinor, currency } = order;
  const facts = { providerOrderId: order.providerOrderId, accountId: null, amountMinor, currency };
  const isOver = hasEnded(order, now);
  return { kind: 'found', status: isOver ? 'canceled' : 'pending', code: 'TRADE_NOT_EXIST', ...facts };
}

/** Whether nobody can pay the order any more. */
export const hasEnded = ({ payableUntil }: SoughtOrder, now: Date): boolean =>
  payableUntil != null && now.getTime() > payableUntil.getTime() + MARGIN_MS;
