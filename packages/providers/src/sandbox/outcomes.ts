import type { CallFacts, Order, QueryOutcome, SubmitOutcome } from '../contract/order.js';
import type { Exchange, NoAnswer } from '../transport/http.js';
import { readErrorCode, readErrorMessage, readOrder, readOrderList, type SandboxOrder } from './messages.js';

type SentOrder = Pick<Order, 'reference' | 'accountId'>;
type AnsweredExchange = Extract<Exchange, { isAnswered: true }>;

/** The outcome of a submit exchange. An answer whose meaning the protocol does not define is `unknown`. */
export function submitOutcomeOf(exchange: Exchange, order: SentOrder): SubmitOutcome {
  if (!exchange.isAnswered) return exchange.outcome;
  const { status, json } = exchange;
  if (status === 200 || status === 201) return outcomeOfTaken(readOrder(json), order);
  const code = readErrorCode(json);
  // Only 422 means that no order exists. After 409 reference_reused an order with our reference and another amount
  // exists, and its money may have moved. The outcome `unknown` leads to a query, which finds that order and shows it
  // to a person as a conflict.
  if (status === 422 && code) return { kind: 'rejected', code, message: readErrorMessage(json) };
  return outcomeWithoutOrder(exchange, code);
}

/**
 * The outcome of a query exchange. Only an empty list means `absent`. A 404 does not mean that, because a wrong path or
 * a proxy also causes it.
 */
export function queryOutcomeOf(exchange: Exchange, reference: string): QueryOutcome {
  if (!exchange.isAnswered) return exchange.outcome;
  if (exchange.status !== 200) return outcomeWithoutOrder(exchange, readErrorCode(exchange.json));
  const orders = readOrderList(exchange.json);
  // An order with another reference shows that the server ignored the filter, so the answer proves nothing.
  if (!orders?.every((order) => order.reference === reference))
    return { kind: 'unknown', cause: 'unreadable' };
  if (orders.length > 1) return { kind: 'several', count: orders.length };
  if (!orders[0]) return { kind: 'absent' };
  const { reference: _reference, ...found } = orders[0];
  return { kind: 'found', ...found };
}

/** The facts of an exchange that are stored. */
export const factsOf = (exchange: Exchange): CallFacts => ({
  httpStatus: exchange.status,
  providerCode: exchange.isAnswered ? readErrorCode(exchange.json) : null,
});

function outcomeOfTaken(taken: SandboxOrder | null, order: SentOrder): SubmitOutcome {
  // An answer about another reference is not the answer to our order, even if its status line says so.
  if (taken?.reference !== order.reference) return { kind: 'unknown', cause: 'unreadable' };
  const { providerOrderId, accountId, amountMinor, currency, isPartlyRead } = taken;
  if (taken.status === 'pending' || taken.status === 'settled') {
    const kind = taken.status === 'pending' ? 'accepted' : 'settled';
    const facts = { kind, providerOrderId, accountId, amountMinor, currency } as const;
    return isPartlyRead ? { ...facts, isPartlyRead } : facts;
  }
  // The ended order may be another order with our reference. The outcome `unknown` leads to a query, and the found
  // order is compared.
  if (accountId !== order.accountId) return { kind: 'unknown', cause: 'unreadable' };
  return { kind: 'rejected', code: taken.code ?? taken.status, message: taken.message ?? '' };
}

/**
 * The outcome of an answer without an order. 429 and 503 mean "not executed" only with their documented code. A proxy
 * also sends a bare 503 when its connection breaks after the order went through.
 */
export function outcomeWithoutOrder(
  { status, retryAfterMs }: AnsweredExchange,
  code: string | null,
): NoAnswer {
  const wait = retryAfterMs === undefined ? {} : { retryAfterMs };
  if (status === 429 && code === 'rate_limited')
    return { kind: 'not_executed', cause: 'rate_limited', ...wait };
  if (status === 503 && code === 'unavailable')
    return { kind: 'not_executed', cause: 'unavailable', ...wait };
  return { kind: 'unknown', cause: status >= 500 ? 'server_error' : 'unreadable', ...(code ? { code } : {}) };
}
