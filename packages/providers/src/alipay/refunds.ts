import type { Refunds, SoughtRefund } from '../contract/collect.js';
import type { OrderFacts, QueryOutcome, SubmitOutcome } from '../contract/order.js';
import { fromYuan, toYuan } from './amounts.js';
import type { AlipayClient } from './client.js';
import { factsOf, noAnswerOf, outcomeOfError, refundRefusals } from './errors.js';
import { numberOf } from './numbers.js';

const nothingSent = { httpStatus: null, providerCode: null };

export const alipayRefunds = (client: AlipayClient): Refunds => ({
  async submit(refund, signal) {
    const amount = refund.currency === 'CNY' ? toYuan(refund.amountMinor) : null;
    if (amount === null) return { outcome: notRepresentable, facts: nothingSent };
    const body = { ...numbersOf(refund), refund_amount: amount };
    const reply = await client.ask('/v3/alipay/trade/refund', body, signal);
    const { call } = reply;
    if ('error' in reply)
      return {
        outcome: outcomeOfError(call, reply.error, refundRefusals),
        facts: factsOf(call, reply.error),
      };
    return { outcome: submitOutcomeOf(reply.data, refund), facts: factsOf(call) };
  },

  async find(refund, signal) {
    const reply = await client.ask('/v3/alipay/trade/fastpay/refund/query', numbersOf(refund), signal);
    const { call } = reply;
    if ('error' in reply)
      return { outcome: noAnswerOf(call, reply.error), facts: factsOf(call, reply.error) };
    return { outcome: foundOutcomeOf(reply.data, refund), facts: factsOf(call) };
  },
});

export const notRepresentable = {
  kind: 'rejected',
  code: 'amount_not_representable',
  message: 'Alipay takes CNY only, 0.01 to 100000000.00',
} as const;

/** One refund has one number, which every repeat uses. A repeat with it moves nothing twice. */
const numbersOf = ({ reference, of }: SoughtRefund) => ({
  out_trade_no: numberOf(of.reference),
  out_request_no: numberOf(reference),
});

const ofRefund = ({ reference, amountMinor, currency }: SoughtRefund): OrderFacts => ({
  ...{ providerOrderId: numberOf(reference), accountId: null, amountMinor, currency },
});

/** Only `fund_change` Y says that this call moved the money. After N the query tells whether an earlier one did. */
function submitOutcomeOf(data: unknown, refund: SoughtRefund): SubmitOutcome {
  const { out_trade_no: number, fund_change: change } = (data ?? {}) as Record<string, unknown>;
  if (number !== numberOf(refund.of.reference)) return { kind: 'unknown', cause: 'unreadable' };
  if (change === 'Y') return { kind: 'settled', ...ofRefund(refund) };
  return { kind: 'unknown', cause: 'unreadable', code: 'fund_change_N' };
}

/**
 * The outcome of a refund query. An answer without a status means that Alipay has no such refund. In the first ten
 * seconds it may be wrong, which is harmless: the refund is then sent again with its number.
 */
function foundOutcomeOf(data: unknown, refund: SoughtRefund): QueryOutcome {
  const found = (data ?? {}) as Record<string, unknown>;
  if (found.out_trade_no !== numberOf(refund.of.reference)) return { kind: 'unknown', cause: 'unreadable' };
  const status = found.refund_status ?? '';
  if (status === '' && (found.refund_amount ?? '') === '') return { kind: 'absent' };
  const amountMinor = fromYuan(found.refund_amount);
  const isOurs = found.out_request_no === numberOf(refund.reference);
  if (!isOurs || amountMinor === null || (status !== '' && status !== 'REFUND_SUCCESS'))
    return { kind: 'unknown', cause: 'unreadable' };
  return { kind: 'found', status: 'settled', ...ofRefund(refund), amountMinor };
}
