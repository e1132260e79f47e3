import type { CallFacts, Order, QueryOutcome, SubmitOutcome } from '../contract/order.js';
import type { Exchange, NoAnswer } from '../transport/http.js';
import { readErrorCode, readErrorMessage, readOrder, readOrderList, type SandboxOrder } from './messages.js';

type HeardExchange = Extract<Exchange, { heard: true }>;

/** What an exchange means for somebody's money. Whatever the protocol does not promise in writing is `unknown`. */
export function submitOutcomeOf(exchange: Exchange, order: Order): SubmitOutcome {
  if (!exchange.heard) return exchange.outcome;
  const { status, json } = exchange;
  if (status === 200 || status === 201) return takenOutcomeOf(readOrder(json), order);
  const code = readErrorCode(json);
  // Only 422 says that no order exists. 409 reference_reused does not: an order with our reference and another amount
  // is there, and its money may have moved. As `unknown` it is looked up, found, and shown to a person as a conflict.
  if (status === 422 && code) return { kind: 'rejected', code, message: readErrorMessage(json) };
  return noWordOf(exchange, code);
}

/** The same for a question. A 404 is no `absent`: a wrong path or a proxy says it too; the empty list is the word. */
export function queryOutcomeOf(exchange: Exchange, reference: string): QueryOutcome {
  if (!exchange.heard) return exchange.outcome;
  if (exchange.status !== 200) return noWordOf(exchange, readErrorCode(exchange.json));
  const orders = readOrderList(exchange.json);
  // An order of another reference means that the filter was not heard, and then an answer proves nothing.
  if (!orders?.every((order) => order.reference === reference))
    return { kind: 'unknown', cause: 'unreadable' };
  if (orders.length > 1) return { kind: 'several', count: orders.length };
  if (!orders[0]) return { kind: 'absent' };
  const { reference: _reference, ...found } = orders[0];
  return { kind: 'found', ...found };
}

/** What is kept of every exchange. */
export const factsOf = (exchange: Exchange): CallFacts => ({
  httpStatus: exchange.status,
  providerCode: exchange.heard ? readErrorCode(exchange.json) : null,
});

function takenOutcomeOf(taken: SandboxOrder | null, order: Order): SubmitOutcome {
  // An answer that speaks of another order is not the answer to ours, whatever its status line says.
  if (taken?.reference !== order.reference) return { kind: 'unknown', cause: 'unreadable' };
  const { providerOrderId, accountId, amountMinor, currency, isPartlyRead } = taken;
  const facts = {
    ...{ providerOrderId, accountId, amountMinor, currency },
    ...(isPartlyRead && { isPartlyRead }),
  };
  if (taken.status === 'pending') return { kind: 'accepted', ...facts };
  if (taken.status === 'settled') return { kind: 'settled', ...facts };
  // The order that ended may be another one of our reference: as `unknown` it is looked up and compared.
  if (accountId !== order.accountId) return { kind: 'unknown', cause: 'unreadable' };
  return { kind: 'rejected', code: taken.code ?? taken.status, message: taken.message ?? '' };
}

/**
 * An answer that carries no order. 429 and 503 promise that nothing was executed only together with their documented
 * code: a proxy sends a bare 503 also when the connection behind it broke after the order went through.
 */
function noWordOf({ status, retryAfterMs }: HeardExchange, code: string | null): NoAnswer {
  const wait = retryAfterMs === undefined ? {} : { retryAfterMs };
  if (status === 429 && code === 'rate_limited')
    return { kind: 'not_executed', cause: 'rate_limited', ...wait };
  if (status === 503 && code === 'unavailable')
    return { kind: 'not_executed', cause: 'unavailable', ...wait };
  return { kind: 'unknown', cause: status >= 500 ? 'server_error' : 'unreadable', ...(code ? { code } : {}) };
}
