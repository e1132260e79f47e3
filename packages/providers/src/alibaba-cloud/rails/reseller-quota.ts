import type { RefundOrder } from '../../contract/collect.js';
import type { Order, QueryOutcome, SubmitOutcome } from '../../contract/order.js';
import type { Provider } from '../../contract/provider.js';
import { toMajor } from '../amounts.js';
import { meaningOfCode } from '../codes.js';
import { type CloudAccess, factsOfExchange, openRpc, type RpcExchange } from '../rpc.js';

/** The only currency of virtual operators' quotas. */
const CURRENCY = 'CNY';

/**
 * Alibaba Cloud's rail `reseller_quota`, for virtual operators: the consumed quota of a customer is lowered, and raised
 * again where money is recalled. OutBizId is the provider's idempotency key, so the same order may be sent again. There
 * is no look-up: sending again is the only question. What a repeated OutBizId answers is not published, and anything but
 * success is unknown.
 */
export function resellerQuotaRail(access: CloudAccess): Provider {
  const rpc = openRpc(access);
  async function change(order: Order | RefundOrder, type: AdjustType, signal: AbortSignal) {
    if (order.currency !== CURRENCY) return { outcome: noQuota, facts: noFacts };
    const exchange = await rpc.call(changeOf(order, type), signal);
    return { outcome: outcomeOfChange(exchange, order), facts: factsOfExchange(exchange) };
  }
  const find = () => Promise.resolve({ outcome: noLookUp, facts: noFacts });
  return {
    name: 'alibaba_cloud',
    orders: {
      promises: { idempotentSubmit: true, queryByReference: false },
      submit: (order, signal) => change(order, 'decrease', signal),
      find,
    },
    refunds: { submit: (refund, signal) => change(refund, 'increase', signal), find },
    close: () => Promise.resolve(),
  };
}

/** `decrease`: the customer has paid, and may consume more. `increase` takes that back. */
type AdjustType = 'decrease' | 'increase';

const noFacts = { httpStatus: null, providerCode: null };
const noQuota: SubmitOutcome = {
  kind: 'rejected',
  code: 'InvalidParameter.Currency',
  message: 'quotas are in CNY',
};
const noLookUp: QueryOutcome = { kind: 'unknown', cause: 'unproven', code: 'NoLookUp' };

function changeOf({ reference, amountMinor, currency, destination }: Order | RefundOrder, type: AdjustType) {
  if (!destination) throw new RangeError('a change of a quota needs a destination');
  return {
    version: '2017-12-14',
    action: 'ChangeResellerConsumeAmount',
    // The id of the customer stays a string: the typed client would make it a number, and ids exceed 2^53.
    query: {
      ...{ OwnerId: destination.to, AdjustType: type, BusinessType: 'quota_amount_adjust' },
      ...{ Amount: toMajor(amountMinor, currency), Currency: currency },
      ...{ Source: 'replenish', OutBizId: reference },
    },
  };
}

function outcomeOfChange(exchange: RpcExchange, order: Order | RefundOrder): SubmitOutcome {
  if (exchange.kind === 'unanswered') return exchange.outcome;
  if (exchange.kind === 'refused') return meaningOfCode(exchange);
  const { Success } = exchange.json as Record<string, unknown>;
  if (Success !== true && Success !== 'true') return { kind: 'unknown', cause: 'unreadable' };
  const { reference, amountMinor, currency } = order;
  return { kind: 'settled', providerOrderId: reference, accountId: null, amountMinor, currency };
}
